import com.google.common.collect.ImmutableList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import org.apache.calcite.linq4j.tree.Expression;
import org.apache.calcite.rel.type.RelProtoDataType;
import org.apache.calcite.schema.Function;
import org.apache.calcite.schema.Schema;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.schema.SchemaVersion;
import org.apache.calcite.schema.Table;
import org.apache.druid.server.security.ResourceType;

/** A schema in which every name is a table, or each of a list. */
final class OpenSchema implements Schema
{
  private static final Set<String> SYS =
      Set.of("segments", "servers", "server_segments", "tasks", "supervisors");
  private static final Set<String> INFORMATION =
      Set.of("SCHEMATA", "TABLES", "COLUMNS", "ROUTINES");

  /** What EXTERN writes to is named like a table, and Calcite would find it. */
  private static final Set<String> DESTINATIONS = Set.of("local", "s3", "google", "azure");

  private final String name;
  /** Null for any. */
  private final Set<String> tables;

  private OpenSchema(String name, Set<String> tables)
  {
    this.name = name;
    this.tables = tables;
  }

  /** The schemas that a Druid has. */
  static List<OpenSchema> all()
  {
    return ImmutableList.of(
        new OpenSchema("druid", null),
        new OpenSchema("view", null),
        new OpenSchema("lookup", null),
        new OpenSchema("sys", SYS),
        new OpenSchema("INFORMATION_SCHEMA", INFORMATION)
    );
  }

  /** The type of resource that a table of this schema is; null for none. */
  static String resourceType(String schema)
  {
    switch (schema) {
      case "druid":
        return ResourceType.DATASOURCE;
      case "view":
        return ResourceType.VIEW;
      default:
        return null;
    }
  }

  String name()
  {
    return name;
  }

  /** INFORMATION_SCHEMA is the one that Druid does not keep in its own list. */
  boolean isNamed()
  {
    return !name.equals("INFORMATION_SCHEMA");
  }

  @Override
  public Table getTable(String table)
  {
    boolean known = tables == null ? !DESTINATIONS.contains(table) : tables.contains(table);
    return known ? new OpenTable(table) : null;
  }

  @Override
  public Set<String> getTableNames()
  {
    return tables == null ? Collections.emptySet() : tables;
  }

  @Override
  public RelProtoDataType getType(String type)
  {
    return null;
  }

  @Override
  public Set<String> getTypeNames()
  {
    return Collections.emptySet();
  }

  @Override
  public Collection<Function> getFunctions(String function)
  {
    return Collections.emptyList();
  }

  @Override
  public Set<String> getFunctionNames()
  {
    return Collections.emptySet();
  }

  @Override
  public Schema getSubSchema(String schema)
  {
    return null;
  }

  @Override
  public Set<String> getSubSchemaNames()
  {
    return Collections.emptySet();
  }

  @Override
  public Expression getExpression(SchemaPlus parent, String schema)
  {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean isMutable()
  {
    return true;
  }

  @Override
  public Schema snapshot(SchemaVersion version)
  {
    return this;
  }
}
