import org.apache.calcite.rel.type.RelDataType;
import org.apache.calcite.rel.type.RelDataTypeFactory;
import org.apache.druid.query.TableDataSource;
import org.apache.druid.segment.column.ColumnType;
import org.apache.druid.segment.column.RowSignature;
import org.apache.druid.sql.calcite.table.DatasourceTable;

/** A datasource that has every column. */
final class OpenTable extends DatasourceTable
{
  OpenTable(String name)
  {
    super(new PhysicalDatasourceMetadata(new TableDataSource(name), signature(), true, true));
  }

  /** For APPEND, which puts its columns together from these. */
  private static RowSignature signature()
  {
    return RowSignature.builder()
        .addTimeColumn()
        .add("page", ColumnType.STRING)
        .add("added", ColumnType.LONG)
        .add("zone", ColumnType.STRING)
        .add("fare", ColumnType.DOUBLE)
        .add("x", ColumnType.LONG)
        .build();
  }

  @Override
  public RelDataType getRowType(RelDataTypeFactory factory)
  {
    return Columns.current.row(factory);
  }
}
