import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rel.type.RelDataTypeField;
import org.apache.calcite.rel.type.RelDataTypeFieldImpl;
import org.apache.calcite.rel.type.RelDataTypeImpl;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * Guesses at the columns of a table of which only the name is known: what `*` stands for, and which types the others
 * have. One of them is tried after the other.
 */
enum Columns
{
  /** Many columns, and any other of any type. */
  MANY(true, SqlTypeName.ANY),
  /** As the first, without those that the statement gives a name to itself: they would be ambiguous. */
  NOT_DECLARED(true, SqlTypeName.ANY),
  /** One column, as a sub-query in the place of a value has. */
  ONE(false, SqlTypeName.ANY),
  /** Functions of Druid's own do not take a column of any type. */
  TEXTS(true, SqlTypeName.VARCHAR),
  NUMBERS(true, SqlTypeName.BIGINT),
  ONE_TEXT(false, SqlTypeName.VARCHAR),
  ONE_NUMBER(false, SqlTypeName.BIGINT),
  TIMES(true, SqlTypeName.TIMESTAMP);

  /** The guess in force: one statement is read at a time. */
  static Columns current = MANY;
  /** The names that the statement declares. */
  static Set<String> declared = Set.of();

  /** Numbers the rows, since Calcite takes types of the same description for one. */
  private static long made = 0;

  private static final Map<String, SqlTypeName> KNOWN = new TreeMap<>();

  static {
    KNOWN.put("__time", SqlTypeName.TIMESTAMP);
    for (String name : List.of("page", "user", "channel", "city", "country", "zone", "comment", "language")) {
      KNOWN.put(name, SqlTypeName.VARCHAR);
    }
    for (String name : List.of("added", "deleted", "delta", "cnt", "passengers")) {
      KNOWN.put(name, SqlTypeName.BIGINT);
    }
    for (String name : List.of("fare", "distance", "price")) {
      KNOWN.put(name, SqlTypeName.DOUBLE);
    }
  }

  private final boolean many;
  /** Of all that are not known. */
  private final SqlTypeName others;

  Columns(boolean many, SqlTypeName others)
  {
    this.many = many;
    this.others = others;
  }

  RelDataType row(RelDataTypeFactory factory)
  {
    List<RelDataTypeField> fields = new ArrayList<>();
    if (many) {
      KNOWN.forEach((name, type) -> fields.add(new RelDataTypeFieldImpl(name, fields.size(), nullable(factory, type))));
      // The column that every made-up statement uses.
      fields.add(new RelDataTypeFieldImpl("c1", fields.size(), nullable(factory, others)));
    } else {
      fields.add(new RelDataTypeFieldImpl("c1", 0, nullable(factory, others)));
    }
    return new Row(fields, factory);
  }

  private static RelDataType nullable(RelDataTypeFactory factory, SqlTypeName name)
  {
    RelDataType type = name == SqlTypeName.TIMESTAMP ? factory.createSqlType(name, 3) : factory.createSqlType(name);
    // Druid's own time column never holds a null; for what is asked here it makes no difference.
    return factory.createTypeWithNullability(type, true);
  }

  /** A record that has every field that it is asked for, though `*` stands for its first ones only. */
  private final class Row extends RelDataTypeImpl
  {
    private final RelDataTypeFactory factory;
    private final List<RelDataTypeField> asked = new ArrayList<>();
    private final long number = made++;

    Row(List<RelDataTypeField> fields, RelDataTypeFactory factory)
    {
      super(fields);
      this.factory = factory;
      computeDigest();
    }

    @Override
    protected void generateTypeString(StringBuilder builder, boolean withDetail)
    {
      builder.append("OpenRow").append(number);
    }

    @Override
    public SqlTypeName getSqlTypeName()
    {
      return SqlTypeName.ROW;
    }

    @Override
    public RelDataTypeField getField(String name, boolean caseSensitive, boolean elideRecord)
    {
      RelDataTypeField field = super.getField(name, caseSensitive, elideRecord);
      if (field != null || name.isEmpty()) {
        return field;
      }
      for (RelDataTypeField before : asked) {
        if (before.getName().equals(name)) {
          return before;
        }
      }
      if (Columns.this == NOT_DECLARED && declared.contains(name)) {
        return null;
      }
      RelDataType type = nullable(factory, KNOWN.getOrDefault(name, others));
      RelDataTypeField added = new RelDataTypeFieldImpl(name, fieldList.size() + asked.size(), type);
      asked.add(added);
      return added;
    }

    /** The validator looks a field up by its place once it has it by its name. */
    @Override
    public List<RelDataTypeField> getFieldList()
    {
      return new AbstractList<>()
      {
        @Override
        public RelDataTypeField get(int place)
        {
          return place < fieldList.size() ? fieldList.get(place) : asked.get(place - fieldList.size());
        }

        @Override
        public int size()
        {
          return fieldList.size();
        }
      };
    }
  }
}
