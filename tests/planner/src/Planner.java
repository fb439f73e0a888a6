import com.fasterxml.jackson.annotation.JsonAnySetter;
import com.fasterxml.jackson.databind.InjectableValues;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.Module;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.jsontype.NamedType;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.apache.calcite.avatica.ColumnMetaData;
import org.apache.calcite.avatica.remote.TypedValue;
import org.apache.calcite.jdbc.CalciteSchema;
import org.apache.calcite.schema.SchemaPlus;
import org.apache.calcite.sql.SqlCall;
import org.apache.calcite.sql.SqlExplain;
import org.apache.calcite.sql.SqlIdentifier;
import org.apache.calcite.sql.SqlInsert;
import org.apache.calcite.sql.SqlNode;
import org.apache.calcite.sql.validate.SqlValidator;
import org.apache.calcite.sql.validate.SqlValidatorNamespace;
import org.apache.calcite.sql.validate.SqlValidatorTable;
import org.apache.calcite.tools.Program;
import org.apache.druid.data.input.AbstractInputSource;
import org.apache.druid.data.input.InputEntity;
import org.apache.druid.data.input.InputEntityReader;
import org.apache.druid.data.input.InputFormat;
import org.apache.druid.data.input.InputRowSchema;
import org.apache.druid.data.input.impl.HttpInputSourceConfig;
import org.apache.druid.jackson.DefaultObjectMapper;
import org.apache.druid.java.util.common.StringUtils;
import org.apache.druid.math.expr.ExprMacroTable;
import org.apache.druid.metadata.input.InputSourceModule;
import org.apache.druid.query.lookup.LookupExtractorFactoryContainerProvider;
import org.apache.druid.segment.join.JoinableFactory;
import org.apache.druid.segment.join.JoinableFactoryWrapper;
import org.apache.druid.server.security.AuthConfig;
import org.apache.druid.server.security.AuthenticationResult;
import org.apache.druid.server.security.AuthorizerMapper;
import org.apache.druid.server.security.ResourceAction;
import org.apache.druid.server.security.ResourceType;
import org.apache.druid.sql.calcite.aggregation.ApproxCountDistinctSqlAggregator;
import org.apache.druid.sql.calcite.aggregation.SqlAggregator;
import org.apache.druid.sql.calcite.aggregation.builtin.BuiltinApproxCountDistinctSqlAggregator;
import org.apache.druid.sql.calcite.aggregation.builtin.CountSqlAggregator;
import org.apache.druid.sql.calcite.expression.AuthorizableOperator;
import org.apache.druid.sql.calcite.expression.SqlOperatorConversion;
import org.apache.druid.sql.calcite.expression.builtin.QueryLookupOperatorConversion;
import org.apache.druid.sql.calcite.external.ExternalOperatorConversion;
import org.apache.druid.sql.calcite.planner.CalcitePlanner;
import org.apache.druid.sql.calcite.planner.CalciteRulesManager;
import org.apache.druid.sql.calcite.planner.CatalogResolver;
import org.apache.druid.sql.calcite.planner.DruidOperatorTable;
import org.apache.druid.sql.calcite.planner.DruidPlanner;
import org.apache.druid.sql.calcite.planner.NoOpPlannerHook;
import org.apache.druid.sql.calcite.planner.PlannerConfig;
import org.apache.druid.sql.calcite.planner.PlannerContext;
import org.apache.druid.sql.calcite.planner.PlannerFactory;
import org.apache.druid.sql.calcite.run.SqlEngine;
import org.apache.druid.sql.calcite.schema.DruidSchemaCatalog;
import org.apache.druid.sql.calcite.schema.NamedSchema;

/**
 * Asks Druid's own planner what a statement needs: lines of JSON in, lines of JSON out.
 *
 * <p>In: {"id", "sql", "parameters", "by_type"}, the last two optional. Out, for a statement that passes Druid's
 * validation: {"id", "accepted": true, "resources": ["DATASOURCE|wiki|READ", ...]}, which is what Druid would authorize. For one
 * that does not: {"id", "accepted": false, "error"}, and where Calcite had begun to look at its tables, "registered":
 * the resources of all tables and functions that it had found by then. Druid may fail such a statement for a type that
 * the open catalogue has to guess, so what is registered counts as needed.
 *
 * <p>One source for every version of Druid: what differs between them is found by reflection.
 */
public final class Planner
{
  /** Druid's parser recurses; this is more than a server's threads have. */
  private static final long STACK_BYTES = 2L << 20;
  private static final int ERROR_CHARS = 160;

  /** Types of input sources and formats whose classes are in extensions that are not loaded here. */
  private static final List<String> OTHER_SOURCES =
      List.of("s3", "google", "azure", "azureStorage", "hdfs", "delta", "iceberg", "generator");
  private static final List<String> OTHER_FORMATS = List.of("parquet", "orc", "avro_ocf", "avro_stream", "protobuf");

  private final ObjectMapper mapper = new DefaultObjectMapper();
  private final PlannerFactory factory;
  /** The same with druid.auth.enableInputSourceSecurity. */
  private final PlannerFactory byType;
  private final SqlEngine engine = everyFeature();

  private Planner()
  {
    for (Module module : new InputSourceModule().getJacksonModules()) {
      mapper.registerModule(module);
    }
    OTHER_SOURCES.forEach(type -> mapper.registerSubtypes(new NamedType(OtherSource.class, type)));
    OTHER_FORMATS.forEach(type -> mapper.registerSubtypes(new NamedType(OtherFormat.class, type)));
    InjectableValues.Std values = new InjectableValues.Std()
        .addValue(ObjectMapper.class, mapper)
        .addValue(HttpInputSourceConfig.class, make(HttpInputSourceConfig.class));
    localExport(values);
    mapper.setInjectableValues(values);
    factory = factory(false);
    byType = factory(true);
  }

  private PlannerFactory factory(boolean inputSourceSecurity)
  {
    return make(
        PlannerFactory.class,
        catalogue(),
        operators(),
        new ExprMacroTable(Collections.emptyList()),
        new PlannerConfig(),
        make(AuthorizerMapper.class, Collections.emptyMap()),
        mapper,
        "druid",
        new NoRules(),
        new JoinableFactoryWrapper(stub(JoinableFactory.class)),
        CatalogResolver.NULL_RESOLVER,
        AuthConfig.newBuilder().setEnableInputSourceSecurity(inputSourceSecurity).build(),
        dispatcher()
    );
  }

  public static void main(String[] arguments) throws Exception
  {
    initializeStatics();
    Planner planner = new Planner();
    Thread thread = new Thread(null, planner::answerAll, "planner", STACK_BYTES);
    thread.start();
    thread.join();
  }

  private void answerAll()
  {
    try (BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
         BufferedWriter out = new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        out.write(mapper.writeValueAsString(answer(mapper.readTree(line))));
        out.write('\n');
        // Whoever asks may wait for each answer.
        if (!in.ready()) {
          out.flush();
        }
      }
    }
    catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Tries one guess at the columns after the other: a statement is accepted if there are tables for which it is. */
  private ObjectNode answer(JsonNode asked)
  {
    Outcome outcome = null;
    for (Columns guess = Columns.first(); guess != null; guess = outcome.next) {
      Columns.current = guess;
      outcome = plan(asked);
    }
    ObjectNode answer = mapper.createObjectNode();
    answer.set("id", asked.get("id"));
    answer.put("accepted", outcome.error == null);
    if (outcome.error != null) {
      answer.put("error", outcome.error);
    }
    if (outcome.resources != null) {
      answer.set(outcome.error == null ? "resources" : "registered", array(outcome.resources));
    }
    return answer;
  }

  private ArrayNode array(Set<String> resources)
  {
    ArrayNode array = mapper.createArrayNode();
    resources.forEach(array::add);
    return array;
  }

  private Outcome plan(JsonNode asked)
  {
    String sql = asked.get("sql").asText();
    DruidPlanner planner = null;
    try {
      PlannerFactory asks = asked.path("by_type").asBoolean() ? byType : factory;
      planner = asks.createPlanner(engine, sql, context(), NoOpPlannerHook.INSTANCE);
      planner.getPlannerContext().setParameters(parameters(asked.get("parameters")));
      planner.getPlannerContext().setAuthenticationResult(new AuthenticationResult("any", "any", null, null));
      planner.validate();
      return new Outcome(authorized(planner), null, null);
    }
    catch (Exception | StackOverflowError | AssertionError e) {
      String error = brief(e);
      Columns next = Columns.current.after(error);
      // What is found before it fails is the same for every guess.
      return new Outcome(next == null && planner != null ? registered(planner, sql) : null, error, next);
    }
    finally {
      if (planner != null) {
        planner.close();
      }
    }
  }

  private static Map<String, Object> context()
  {
    Map<String, Object> context = new HashMap<>();
    context.put("sqlQueryId", "any");
    // Needed by 27; newer ones have them always.
    context.put("enableWindowing", true);
    context.put("enableUnnest", true);
    return context;
  }

  private static List<TypedValue> parameters(JsonNode values)
  {
    List<TypedValue> parameters = new ArrayList<>();
    if (values != null) {
      for (JsonNode value : values) {
        if (value.isIntegralNumber()) {
          parameters.add(TypedValue.ofLocal(ColumnMetaData.Rep.LONG, value.asLong()));
        } else {
          parameters.add(TypedValue.ofLocal(ColumnMetaData.Rep.STRING, value.asText()));
        }
      }
    }
    return parameters;
  }

  /** What Druid hands to its authorizers. */
  @SuppressWarnings({"unchecked", "rawtypes"})
  private static Set<String> authorized(DruidPlanner planner)
  {
    Set<String> resources = new TreeSet<>();
    Function authorizer = actions -> {
      resources.addAll(words((Set<ResourceAction>) actions));
      // Nothing of the planner is wanted any more, and the type of an answer differs between versions.
      throw new Asked();
    };
    try {
      planner.authorize(authorizer, Set.of());
      throw new IllegalStateException("Druid did not ask its authorizers");
    }
    catch (Asked asked) {
      return resources;
    }
  }

  private static Set<String> words(Set<ResourceAction> actions)
  {
    Set<String> words = new TreeSet<>();
    for (ResourceAction action : actions) {
      words.add(word(action.getResource().getType(), action.getResource().getName(), action.getAction().toString()));
    }
    return words;
  }

  private static String word(String type, String name, String action)
  {
    return type + "|" + name + "|" + action;
  }

  /** The tables and functions that Calcite had registered when it failed; null if it had not begun. */
  private Set<String> registered(DruidPlanner planner, String sql)
  {
    try {
      CalcitePlanner calcite = (CalcitePlanner) field(DruidPlanner.class, "planner", planner);
      SqlValidator validator = calcite.getValidator();
      if (validator == null) {
        return null;
      }
      Set<String> resources = new TreeSet<>();
      Map<?, ?> namespaces = (Map<?, ?>) field(validator.getClass(), "namespaces", validator);
      for (Map.Entry<?, ?> entry : new ArrayList<>(namespaces.entrySet())) {
        if (entry.getKey() instanceof SqlIdentifier) {
          addTable(validator, (SqlValidatorNamespace) entry.getValue(), resources);
        } else if (entry.getKey() instanceof SqlCall) {
          addFunction((SqlCall) entry.getKey(), resources);
        }
      }
      // What writes says INTO.
      if (StringUtils.toLowerCase(sql).contains("into")) {
        addTarget(sql, resources);
      }
      return resources;
    }
    catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private void addTable(SqlValidator validator, SqlValidatorNamespace namespace, Set<String> resources)
  {
    SqlValidatorTable table;
    try {
      namespace.validate(validator.getUnknownType());
      table = namespace.getTable();
    }
    catch (Exception | AssertionError | StackOverflowError e) {
      // No such table in any catalogue; or an item of a WITH that has failed, in which Calcite goes round in a circle.
      return;
    }
    if (table != null && table.getQualifiedName().size() == 2) {
      String name = table.getQualifiedName().get(1);
      String type = OpenSchema.resourceType(table.getQualifiedName().get(0));
      if (type != null) {
        resources.add(word(type, name, "READ"));
      }
    }
  }

  private static void addFunction(SqlCall call, Set<String> resources)
  {
    if (call.getOperator() instanceof AuthorizableOperator) {
      try {
        resources.addAll(words(((AuthorizableOperator) call.getOperator()).computeResources(call, false)));
      }
      catch (Exception e) {
        // Its arguments are none of those that it takes, so it cannot run.
      }
    }
  }

  private void addTarget(String sql, Set<String> resources)
  {
    try (DruidPlanner planner = factory.createPlanner(engine, sql, context(), NoOpPlannerHook.INSTANCE)) {
      SqlNode node = ((CalcitePlanner) field(DruidPlanner.class, "planner", planner)).parse(new java.io.StringReader(sql));
      if (node instanceof SqlExplain) {
        node = ((SqlExplain) node).getExplicandum();
      }
      if (node instanceof SqlInsert && ((SqlInsert) node).getTargetTable() instanceof SqlIdentifier) {
        SqlIdentifier target = (SqlIdentifier) ((SqlInsert) node).getTargetTable();
        boolean export = target.getClass() != SqlIdentifier.class;
        String name = target.names.get(target.names.size() - 1);
        resources.add(word(export ? ResourceType.EXTERNAL : ResourceType.DATASOURCE, name, "WRITE"));
      }
    }
    catch (Exception e) {
      // It was parsed before.
      throw new IllegalStateException(e);
    }
  }

  private static String brief(Throwable error)
  {
    String message = error.getClass() == StackOverflowError.class ? "stack overflow" : String.valueOf(error.getMessage());
    String line = message.lines().findFirst().orElse("");
    return line.length() > ERROR_CHARS ? line.substring(0, ERROR_CHARS) : line;
  }

  // The parts of a planner.

  private static DruidSchemaCatalog catalogue()
  {
    SchemaPlus root = CalciteSchema.createRootSchema(false, false).plus();
    Map<String, NamedSchema> named = new HashMap<>();
    for (OpenSchema schema : OpenSchema.all()) {
      root.add(schema.name(), schema);
      if (schema.isNamed()) {
        named.put(schema.name(), new NamedSchema()
        {
          @Override
          public String getSchemaName()
          {
            return schema.name();
          }

          @Override
          public String getSchemaResourceType(String resourceName)
          {
            return OpenSchema.resourceType(schema.name());
          }

          @Override
          public org.apache.calcite.schema.Schema getSchema()
          {
            return schema;
          }
        });
      }
    }
    return new DruidSchemaCatalog(root, named);
  }

  /** What a Broker with the MSQ engine binds besides Druid's fixed list. */
  private DruidOperatorTable operators()
  {
    ApproxCountDistinctSqlAggregator distinct =
        new ApproxCountDistinctSqlAggregator(new BuiltinApproxCountDistinctSqlAggregator());
    Set<SqlAggregator> aggregators = Set.of(distinct, new CountSqlAggregator(distinct));
    Set<SqlOperatorConversion> conversions = Set.of(
        new ExternalOperatorConversion(mapper),
        new QueryLookupOperatorConversion(stub(LookupExtractorFactoryContainerProvider.class))
    );
    return new DruidOperatorTable(aggregators, conversions);
  }

  /** An engine that has every feature, so that nothing is refused for the engine's sake. */
  private static SqlEngine everyFeature()
  {
    return (SqlEngine) Proxy.newProxyInstance(
        Planner.class.getClassLoader(),
        new Class<?>[]{SqlEngine.class},
        (proxy, method, arguments) -> {
          switch (method.getName()) {
            case "name":
            case "toString":
              return "any";
            case "hashCode":
              return 1;
            case "featureAvailable":
              return true;
            case "validateContext":
              return null;
            case "resultTypeForSelect":
            case "resultTypeForInsert":
              return arguments[1];
            default:
              throw new UnsupportedOperationException(method.getName());
          }
        }
    );
  }

  /** The one destination of an export that is no extension; 27 has none. */
  private void localExport(InjectableValues.Std values)
  {
    try {
      Class<?> local = Class.forName("org.apache.druid.storage.local.LocalFileExportStorageProvider");
      mapper.registerSubtypes(new NamedType(local, "local"));
      Class<?> config = Class.forName("org.apache.druid.storage.StorageConfig");
      values.addValue(config, make(config, "/exports"));
    }
    catch (ClassNotFoundException e) {
      // Versions before 29 export nothing.
    }
  }

  @SuppressWarnings("unchecked")
  private static <T> T stub(Class<T> type)
  {
    return (T) Proxy.newProxyInstance(Planner.class.getClassLoader(), new Class<?>[]{type}, (proxy, method, arguments) -> {
      if (method.getName().equals("hashCode")) {
        return 1;
      }
      throw new UnsupportedOperationException(method.getName());
    });
  }

  private static Object dispatcher()
  {
    try {
      return Class.forName("org.apache.druid.sql.hook.DruidHookDispatcher").getConstructor().newInstance();
    }
    catch (ReflectiveOperationException e) {
      // Versions before 31 have none.
      return "";
    }
  }

  /** Druid sets these from its configuration; here they are as with its defaults. */
  private static void initializeStatics() throws ReflectiveOperationException
  {
    for (String name : List.of(
        "org.apache.druid.common.config.NullHandling",
        "org.apache.druid.math.expr.ExpressionProcessing"
    )) {
      try {
        Class.forName(name).getMethod("initializeForTests").invoke(null);
      }
      catch (ClassNotFoundException | NoSuchMethodException e) {
        // Not in every version.
      }
    }
  }

  /** An instance by the longest constructor, each argument the first part that fits its type, and nothing for the rest. */
  @SuppressWarnings("unchecked")
  private static <T> T make(Class<T> type, Object... parts)
  {
    Constructor<?> longest = Arrays.stream(type.getDeclaredConstructors())
        .max((one, other) -> Integer.compare(one.getParameterCount(), other.getParameterCount()))
        .orElseThrow();
    longest.setAccessible(true);
    Object[] arguments = Arrays.stream(longest.getParameterTypes())
        .map(wanted -> Arrays.stream(parts).filter(wanted::isInstance).findFirst().orElse(null))
        .toArray();
    try {
      return (T) longest.newInstance(arguments);
    }
    catch (InvocationTargetException e) {
      throw new IllegalStateException(e.getCause());
    }
    catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Object field(Class<?> type, String name, Object of) throws ReflectiveOperationException
  {
    for (Class<?> at = type; at != null; at = at.getSuperclass()) {
      for (Field field : at.getDeclaredFields()) {
        if (field.getName().equals(name)) {
          field.setAccessible(true);
          return field.get(of);
        }
      }
    }
    throw new NoSuchFieldException(name);
  }

  /** What came of one guess at the columns. */
  private static final class Outcome
  {
    /** What Druid would authorize, or what it had registered when it failed; null if that is not known. */
    final Set<String> resources;
    /** Null if the statement is accepted. */
    final String error;
    /** The guess to try after this one; null if none is left or needed. */
    final Columns next;

    Outcome(Set<String> resources, String error, Columns next)
    {
      this.resources = resources;
      this.error = error;
      this.next = next;
    }
  }

  /** A statement is only validated, and rules are for what comes after that: they are costly to make. */
  private static final class NoRules extends CalciteRulesManager
  {
    NoRules()
    {
      super(Set.of());
    }

    @Override
    public List<Program> programs(PlannerContext context)
    {
      return List.of();
    }
  }

  private static final class Asked extends RuntimeException
  {
    Asked()
    {
      super(null, null, false, false);
    }
  }

  /** An input source of which only the type counts. */
  public static final class OtherSource extends AbstractInputSource
  {
    @JsonAnySetter
    public void set(String name, Object value)
    {
    }

    @Override
    public Set<String> getTypes()
    {
      return Set.of("other");
    }

    @Override
    public boolean isSplittable()
    {
      return false;
    }

    @Override
    public boolean needsFormat()
    {
      return true;
    }
  }

  /** A format of which nothing counts. */
  public static final class OtherFormat implements InputFormat
  {
    @JsonAnySetter
    public void set(String name, Object value)
    {
    }

    @Override
    public boolean isSplittable()
    {
      return false;
    }

    @Override
    public InputEntityReader createReader(InputRowSchema schema, InputEntity source, java.io.File directory)
    {
      throw new UnsupportedOperationException();
    }
  }
}
