//! ZooKeeper and Druid's five services: how each is started.

use std::path::PathBuf;

use crate::error::Result;
use crate::progress::Progress;
use crate::state::State;
use crate::version::Version;
use crate::{classes, druid, maven, places, tools};

/// ZooKeeper and the services of Druid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Druid's services find each other in it.
    ZooKeeper,
    /// The Coordinator, with the Overlord and the Derby that holds the metadata in it.
    Coordinator,
    /// Runs tasks, those of MSQ among them, in its own process.
    Indexer,
    /// Plans and answers SQL.
    Broker,
    /// The entry point of a cluster.
    Router,
    /// Serves segments.
    Historical,
}

/// Druid's own launcher for Java 11 and newer opens these.
const OPENED: [&str; 9] = [
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--add-opens=java.base/java.io=ALL-UNNAMED",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED",
    "--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED",
    "--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED",
];

/// Short-lived processes on few cores: no second compiler, no threads for collecting garbage, and IPv4's loopback only.
const JVM: [&str; 8] = [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+ExitOnOutOfMemoryError",
    "-Xshare:auto",
    "-Djava.net.preferIPv4Stack=true",
    "-Duser.timezone=UTC",
    "-Dfile.encoding=UTF-8",
    "-Djava.util.logging.manager=org.apache.logging.log4j.jul.LogManager",
];

/// Task logs go to files of their own, as Druid's Indexer asks for; all else to the service's log.
const LOG4J: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders>
    <Console name="Console" target="SYSTEM_OUT"><PatternLayout pattern="%d{ISO8601} %p [%t] %c - %m%n"/></Console>
    <Routing name="Routing">
      <Routes pattern="$${ctx:task.log.id}">
        <Route>
          <File name="task-${ctx:task.log.id}" fileName="${ctx:task.log.file}">
            <PatternLayout pattern="%d{ISO8601} %p [%t] %c - %m%n"/>
          </File>
        </Route>
        <Route key="$${ctx:task.log.id}" ref="Console"/>
      </Routes>
    </Routing>
  </Appenders>
  <Loggers>
    <Root level="info"><AppenderRef ref="Routing"/></Root>
    <Logger name="org.apache.zookeeper" level="warn"/>
    <Logger name="org.skife.config" level="warn"/>
    <Logger name="org.apache.curator" level="warn"/>
    <Logger name="org.eclipse.jetty" level="warn"/>
  </Loggers>
</Configuration>
"#;

/// How many tasks run at once. Every MSQ query takes one for its controller and at least one for a worker, and
/// controllers that fill every slot would wait for workers for ever.
const TASK_SLOTS: u32 = 24;

impl Service {
    /// All of them, in the order in which they are started.
    pub const ALL: [Self; 6] =
        [Self::ZooKeeper, Self::Coordinator, Self::Broker, Self::Indexer, Self::Router, Self::Historical];

    /// Its name in commands, logs and state.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZooKeeper => "zookeeper",
            Self::Coordinator => "coordinator",
            Self::Indexer => "indexer",
            Self::Broker => "broker",
            Self::Router => "router",
            Self::Historical => "historical",
        }
    }

    fn memory(self) -> [&'static str; 3] {
        match self {
            Self::ZooKeeper => ["-Xms32m", "-Xmx128m", "-XX:MaxDirectMemorySize=32m"],
            Self::Coordinator => ["-Xms192m", "-Xmx512m", "-XX:MaxDirectMemorySize=128m"],
            Self::Indexer => match Version::of_bed() {
                // MSQ shares the heap out over all task slots, used or not.
                Version::V27 => ["-Xms256m", "-Xmx3000m", "-XX:MaxDirectMemorySize=768m"],
                Version::V33 => ["-Xms128m", "-Xmx512m", "-XX:MaxDirectMemorySize=768m"],
            },
            Self::Broker => ["-Xms192m", "-Xmx512m", "-XX:MaxDirectMemorySize=256m"],
            Self::Router => ["-Xms128m", "-Xmx256m", "-XX:MaxDirectMemorySize=128m"],
            Self::Historical => ["-Xms128m", "-Xmx384m", "-XX:MaxDirectMemorySize=256m"],
        }
    }

    /// The arguments that start it, as a file for Java's `@file`: passwords are in it and not on the command line.
    pub fn argument_file(self, state: &State, class_path: &str) -> Result<String> {
        let mut words: Vec<String> = Vec::new();
        words.extend(self.memory().iter().chain(&JVM).chain(&OPENED).map(ToString::to_string));
        words.push(format!("-Djava.io.tmpdir={}", var("tmp").display()));
        words.push(format!("-Dlog4j.configurationFile={}", log4j_file().display()));
        words.extend(["-cp".to_owned(), class_path.to_owned()]);
        if self == Self::ZooKeeper {
            words.push("-Dzookeeper.forceSync=no".to_owned());
            words.push("org.apache.zookeeper.server.quorum.QuorumPeerMain".to_owned());
            words.push(zookeeper_file().display().to_string());
        } else {
            let settings = self.settings(state)?.into_iter();
            words.extend(settings.map(|(key, value)| format!("-D{key}={value}")));
            words.extend(["org.apache.druid.cli.Main", "server", self.name()].map(str::to_owned));
        }
        Ok(words.iter().map(|word| quoted(word)).collect())
    }

    fn settings(self, state: &State) -> Result<Vec<(String, String)>> {
        let mut settings = common(state)?;
        let mut set = |key: &str, value: String| settings.push((format!("druid.{key}"), value));
        set("plaintextPort", state.port(self.name())?.to_string());
        set("service", format!("druid/{}", self.name()));
        let own: &[(&str, &str)] = match self {
            Self::ZooKeeper => &[],
            Self::Coordinator => &COORDINATOR,
            Self::Indexer => &INDEXER,
            Self::Broker => &BROKER,
            Self::Router => &ROUTER,
            Self::Historical => &HISTORICAL,
        };
        own.iter().for_each(|(key, value)| set(key, (*value).to_owned()));
        match self {
            Self::Historical => {
                let cache = var("segment-cache").display().to_string();
                set("segmentCache.locations", format!(r#"[{{"path":{cache:?},"maxSize":"2g"}}]"#));
            }
            Self::Indexer => {
                set("worker.capacity", TASK_SLOTS.to_string());
                set("indexer.task.baseDir", var("task").display().to_string());
            }
            Self::ZooKeeper | Self::Coordinator | Self::Broker | Self::Router => {}
        }
        Ok(settings)
    }
}

/// Data seconds after it was written, instead of minutes.
const COORDINATOR: [(&str, &str); 11] = [
    ("coordinator.asOverlord.enabled", "true"),
    ("coordinator.asOverlord.overlordService", "druid/overlord"),
    ("coordinator.startDelay", "PT1S"),
    ("coordinator.period", "PT2S"),
    ("coordinator.period.indexingPeriod", "PT600S"),
    ("manager.segments.pollDuration", "PT2S"),
    ("manager.rules.pollDuration", "PT2S"),
    ("indexer.queue.startDelay", "PT1S"),
    ("indexer.runner.type", "httpRemote"),
    ("indexer.storage.type", "metadata"),
    ("server.http.numThreads", "40"),
];

/// More threads than cores: a query that is cancelled may keep its places in MSQ's processing pool (seen on 27), and those
/// that come after it wait for one forever.
const INDEXER: [(&str, &str); 6] = [
    ("indexer.task.gracefulShutdownTimeout", "PT0S"),
    ("indexer.task.restoreTasksOnRestart", "false"),
    ("processing.buffer.sizeBytes", "10MiB"),
    ("processing.numThreads", "16"),
    ("processing.numMergeBuffers", "2"),
    ("server.http.numThreads", "60"),
];

const BROKER: [(&str, &str); 7] = [
    ("broker.http.numConnections", "10"),
    ("sql.enable", "true"),
    ("sql.planner.metadataRefreshPeriod", "PT1S"),
    ("processing.buffer.sizeBytes", "25MiB"),
    ("processing.numThreads", "1"),
    ("processing.numMergeBuffers", "2"),
    ("server.http.numThreads", "40"),
];

const ROUTER: [(&str, &str); 6] = [
    ("router.managementProxy.enabled", "true"),
    ("router.defaultBrokerServiceName", "druid/broker"),
    ("router.coordinatorServiceName", "druid/coordinator"),
    ("router.http.numConnections", "50"),
    ("router.http.readTimeout", "PT5M"),
    ("server.http.numThreads", "60"),
];

const HISTORICAL: [(&str, &str); 4] = [
    ("processing.buffer.sizeBytes", "25MiB"),
    ("processing.numThreads", "1"),
    ("processing.numMergeBuffers", "2"),
    ("server.http.numThreads", "20"),
];

/// What every service of Druid is told: loopback, one ZooKeeper, one Derby, files, and its own authorizer in force.
fn common(state: &State) -> Result<Vec<(String, String)>> {
    let derby = state.port("derby")?;
    let path = |name: &str| var(name).display().to_string();
    let pairs: Vec<(&str, String)> = vec![
        ("host", "localhost".into()),
        // Without it each service listens on every interface.
        ("bindOnHost", "true".into()),
        ("extensions.searchCurrentClassloader", "true".into()),
        ("extensions.loadList", "[]".into()),
        ("zk.service.host", format!("127.0.0.1:{}", state.port(Service::ZooKeeper.name())?)),
        ("metadata.storage.type", "derby".into()),
        ("metadata.storage.connector.host", "localhost".into()),
        ("metadata.storage.connector.port", derby.to_string()),
        ("metadata.storage.connector.connectURI", format!("jdbc:derby://localhost:{derby}/metadata.db;create=true")),
        ("storage.type", "local".into()),
        ("storage.storageDirectory", path("segments")),
        ("indexer.logs.type", "file".into()),
        ("indexer.logs.directory", path("task-logs")),
        ("selectors.indexing.serviceName", "druid/overlord".into()),
        ("selectors.coordinator.serviceName", "druid/coordinator".into()),
        ("monitoring.monitors", "[]".into()),
        ("emitter", "noop".into()),
        ("lookup.enableLookupSyncOnStartup", "false".into()),
        ("server.http.gracefulShutdownTimeout", "PT0S".into()),
        ("auth.authenticatorChain", r#"["basic"]"#.into()),
        ("auth.authenticator.basic.type", "basic".into()),
        ("auth.authenticator.basic.initialAdminPassword", state.admin_password.clone()),
        ("auth.authenticator.basic.initialInternalClientPassword", state.internal_password.clone()),
        ("auth.authenticator.basic.authorizerName", "basic".into()),
        ("auth.authenticator.basic.enableCacheNotifications", "false".into()),
        ("auth.authenticator.basic.credentialIterations", druid::HASH_ITERATIONS.to_string()),
        ("escalator.type", "basic".into()),
        ("escalator.internalClientUsername", "druid_system".into()),
        ("escalator.internalClientPassword", state.internal_password.clone()),
        ("escalator.authorizerName", "basic".into()),
        ("auth.authorizers", r#"["basic"]"#.into()),
        ("auth.authorizer.basic.type", "basic".into()),
        ("auth.authorizer.basic.enableCacheNotifications", "false".into()),
    ];
    let derby_home =
        [("derby.system.home".to_owned(), path("derby")), ("derby.system.durability".to_owned(), "test".to_owned())];
    Ok(pairs.into_iter().map(|(key, value)| (format!("druid.{key}"), value)).chain(derby_home).collect())
}

/// Where services find their classes: the jars, after what of them a Druid 33 needs otherwise.
pub fn class_path(progress: &Progress) -> Result<String> {
    let jars = maven::jars(progress)?;
    let all = format!("{}/*", jars.display());
    match Version::of_bed() {
        Version::V27 => Ok(all),
        Version::V33 => {
            let (_, javac) = tools::compiler(progress)?;
            let ours = classes::compiled(&javac, &jars, &places::workspace().join("tests/bed/druid-33"))?;
            Ok(format!("{}:{all}", ours.display()))
        }
    }
}

/// The files that several services read, written before any is started.
pub fn write_shared_files(state: &State) -> Result<()> {
    for name in ["tmp", "segments", "task-logs", "task", "segment-cache", "derby", "zookeeper"] {
        places::make_dir(&var(name))?;
    }
    places::write_private(&log4j_file(), LOG4J)?;
    let zookeeper = format!(
        "tickTime=2000\ndataDir={}\nclientPort={}\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\nmaxClientCnxns=0\n",
        var("zookeeper").display(),
        state.port(Service::ZooKeeper.name())?,
    );
    places::write_private(&zookeeper_file(), &zookeeper)
}

/// A directory of what services write.
#[must_use]
pub fn var(name: &str) -> PathBuf {
    places::bed_dir().join("var").join(name)
}

fn log4j_file() -> PathBuf {
    places::bed_dir().join("conf/log4j2.xml")
}

fn zookeeper_file() -> PathBuf {
    places::bed_dir().join("conf/zoo.cfg")
}

/// One word of a Java argument file, on a line of its own.
fn quoted(word: &str) -> String {
    format!("\"{}\"\n", word.replace('\\', "\\\\").replace('"', "\\\""))
}
