import java.io.FileInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;

/**
 * Avatica's own driver, as a program of a user's would use it. Arguments: the URL of Avatica's endpoint, the file of the CA, and
 * a user with a token as its password. What it sees is printed, a line for each step; a step that fails says why.
 */
public class Jdbc
{
  private static final String STORE_PASSWORD = "changeit";

  private interface Step
  {
    String run(Connection connection) throws SQLException;
  }

  public static void main(String[] arguments) throws Exception
  {
    Path store = trusting(arguments[1]);
    Properties properties = new Properties();
    properties.setProperty("authentication", "BASIC");
    properties.setProperty("avatica_user", arguments[2]);
    properties.setProperty("avatica_password", arguments[3]);
    properties.setProperty("truststore", store.toString());
    properties.setProperty("truststore_password", STORE_PASSWORD);
    // A context key of all queries, and who nobody asked for.
    properties.setProperty("sqlTimeZone", "America/Los_Angeles");
    properties.setProperty("user", "admin");
    properties.setProperty("password", "of another");
    String url = "jdbc:avatica:remote:url=" + arguments[0];
    try (Connection connection = DriverManager.getConnection(url, properties)) {
      say("prepared", connection, Jdbc::prepared);
      say("frames", connection, Jdbc::frames);
      say("time zone", connection, Jdbc::timeZone);
      say("denied", connection, denied -> rows(denied, "SELECT * FROM taxi"));
      say("written", connection, denied -> rows(denied, "INSERT INTO wiki SELECT * FROM wiki PARTITIONED BY DAY"));
      say("tables", connection, Jdbc::tables);
    } catch (SQLException | RuntimeException error) {
      System.out.println("connection: " + error.getMessage());
    } finally {
      Files.delete(store);
    }
  }

  private static void say(String name, Connection connection, Step step)
  {
    String said;
    try {
      said = step.run(connection);
    } catch (SQLException error) {
      said = error.getErrorCode() + " " + error.getSQLState() + " " + error.getMessage().replace('\n', ' ');
    } catch (RuntimeException error) {
      // So the driver tells what goes wrong with metadata.
      said = error.getMessage().replace('\n', ' ');
    }
    System.out.println(name + ": " + said);
  }

  /** Executed twice, with other values. */
  private static String prepared(Connection connection) throws SQLException
  {
    String sql = "SELECT page, added FROM wiki WHERE page = ? OR added = ? GROUP BY page, added";
    StringBuilder said = new StringBuilder();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (Object[] values : new Object[][] {{"Druid", -1L}, {"no \u00fcnique \b page", 310L}}) {
        statement.setString(1, (String) values[0]);
        statement.setLong(2, (Long) values[1]);
        try (ResultSet rows = statement.executeQuery()) {
          while (rows.next()) {
            said.append(rows.getString("page")).append('=').append(rows.getLong("added")).append(' ');
          }
        }
      }
    }
    return said.toString().trim();
  }

  /** More rows than Druid puts into one frame. */
  private static String frames(Connection connection) throws SQLException
  {
    StringBuilder values = new StringBuilder("(0)");
    for (int value = 1; value < 250; value++) {
      values.append(", (").append(value).append(')');
    }
    return rows(connection, "SELECT * FROM (VALUES " + values + ") AS t (x)");
  }

  private static String rows(Connection connection, String sql) throws SQLException
  {
    int count = 0;
    try (Statement statement = connection.createStatement()) {
      statement.setFetchSize(100);
      try (ResultSet rows = statement.executeQuery(sql)) {
        while (rows.next()) {
          count++;
        }
      }
    }
    return count + " rows";
  }

  private static String timeZone(Connection connection) throws SQLException
  {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT TIME_FORMAT(TIMESTAMP '2020-01-01 12:00:00', 'ZZ') AS z")) {
      rows.next();
      return rows.getString("z");
    }
  }

  private static String tables(Connection connection) throws SQLException
  {
    StringBuilder said = new StringBuilder();
    try (ResultSet rows = connection.getMetaData().getTables(null, "druid", "w%", null)) {
      while (rows.next()) {
        said.append(rows.getString("TABLE_NAME")).append(' ');
      }
    }
    return said.toString().trim();
  }

  /** A file that trusts the CA alone. */
  private static Path trusting(String ca) throws Exception
  {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream file = new FileInputStream(ca)) {
      store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(file));
    }
    Path path = Files.createTempFile("truststore", null);
    try (OutputStream file = Files.newOutputStream(path)) {
      store.store(file, STORE_PASSWORD.toCharArray());
    }
    return path;
  }
}
