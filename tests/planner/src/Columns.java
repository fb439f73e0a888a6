import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.calcite.rel.type.RelDataTypeField;
import org.apache.calcite.rel.type.RelDataTypeFieldImpl;
import org.apache.calcite.rel.type.RelDataTypeImpl;
import org.apache.calcite.sql.type.SqlTypeName;

/**
 * A guess at the columns of a table of which only the name is known: what `*` stands for, and which type those have that
 * are not known either. Where Druid refuses a statement for its guess, another one is tried, as its error tells.
 */
final class Columns
{
  /** The types of columns that are not known, in the order in which they are tried. */
  private static final List<SqlTypeName> TYPES =
      List.of(SqlTypeName.ANY, SqlTypeName.BIGINT, SqlTypeName.VARCHAR, SqlTypeName.TIMESTAMP);

  /** How an error begins that tables of many columns may help against; one is what a sub-query in a value's place has. */
  private static final String TOO_FEW = "Column '";

  /** How an error begins that tells of a sub-query in a value's place with other columns than those of a table. */
  private static final String OWN_COLUMNS = "Cannot apply '$SCALAR_QUERY'";

  /** How errors begin that columns of another type may help against: functions of Druid's own do not take any type. */
  private static final List<String> OF_TYPE = List.of(
      "Cannot apply '",
      "Uncategorized calcite error message: [java.lang.UnsupportedOperationException",
      "Invalid type '",
      "Type mismatch in column",
      "Parameters must be of the same type"
  );

  /** The guess in force: one statement is read at a time. */
  static Columns current = first();

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
  /** The place in {@link #TYPES} of the type of all that are not known. */
  private final int type;

  private Columns(boolean many, int type)
  {
    this.many = many;
    this.type = type;
  }

  static Columns first()
  {
    return new Columns(false, 0);
  }

  /** The guess to try after this one has led to this error; null if none will help. */
  Columns after(String error)
  {
    if (!many && error.startsWith(TOO_FEW)) {
      return new Columns(true, type);
    }
    boolean another = OF_TYPE.stream().anyMatch(error::startsWith) && !error.startsWith(OWN_COLUMNS);
    return another && type + 1 < TYPES.size() ? new Columns(many, type + 1) : null;
  }

  RelDataType row(RelDataTypeFactory factory)
  {
    SqlTypeName others = TYPES.get(type);
    List<RelDataTypeField> fields = new ArrayList<>();
    if (many) {
      KNOWN.forEach((name, type) -> fields.add(new RelDataTypeFieldImpl(name, fields.size(), nullable(factory, type))));
      // The column that every made-up statement uses.
      fields.add(new RelDataTypeFieldImpl("c1", fields.size(), nullable(factory, others)));
    } else {
      fields.add(new RelDataTypeFieldImpl("c1", 0, nullable(factory, others)));
    }
    return new Row(fields, others, factory);
  }

  private static RelDataType nullable(RelDataTypeFactory factory, SqlTypeName name)
  {
    RelDataType type = name == SqlTypeName.TIMESTAMP ? factory.createSqlType(name, 3) : factory.createSqlType(name);
    // Druid's own time column never holds a null; for what is asked here it makes no difference.
    return factory.createTypeWithNullability(type, true);
  }

  /** A record that has every field that it is asked for, though `*` stands for its first ones only. */
  private static final class Row extends RelDataTypeImpl
  {
    private final SqlTypeName others;
    private final RelDataTypeFactory factory;
    private final List<RelDataTypeField> asked = new ArrayList<>();
    private final long number = made++;

    Row(List<RelDataTypeField> fields, SqlTypeName others, RelDataTypeFactory factory)
    {
      super(fields);
      this.others = others;
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
