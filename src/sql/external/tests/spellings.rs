//! Every spelling of an inner address that Java's `URI`, its `URL`, or what resolves names for it may take.

use super::*;

/// One URI in an `http` source.
fn http(rules: &ExternalRules, uri: &str) -> &'static str {
    source(rules, &format!(r#"{{"type":"http","uris":["{uri}"]}}"#))
}

const INNER: [&str; 57] = [
    "http://127.0.0.1/",
    "http://127.0.0.1",
    "http://127.0.0.1:8081/status",
    "https://127.0.0.1/",
    "HTTP://127.0.0.1/",
    "hTtPs://127.255.255.254?x",
    "http://127.8.9.10/",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://169.254.169.254/latest/meta-data/iam/",
    "http://169.254.170.2/",
    "http://169.254.0.1/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://[::1]/",
    "http://[::1]:8081/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]/",
    "http://[::0:0:1]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::FFFF:7F00:1]/",
    "http://[0:0:0:0:0:ffff:7f00:0001]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:0.0.0.0]/",
    "http://[::127.0.0.1]/",
    "http://[::7f00:1]/",
    "http://[::169.254.169.254]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::1]/",
    "http://[64:ff9b:1:fffe::a9fe:a9fe]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:1:2:3:4:80ff:fffe]/",
    "http://[fe80::1]/",
    "http://[febf::1]/",
    "http://[fe80::5efe:10.0.0.1]/",
    "http://[2001:db8::5efe:127.0.0.1]/",
    "http://[2001:db8::200:5efe:127.0.0.1]/",
    "http://[fd00:ec2::254]/latest/",
    "http://[fd00:ec2::23]/",
    "http://[fd20:ce::254]/",
    "http://[fd00:c1::a9fe:a9fe]/",
    "http://[fd00:42::42]/",
    "http://localhost/",
    "http://LocalHost:80/",
    "http://a.localhost/",
    "http://a.b.LOCALHOST/",
    "http://localhost.localdomain/",
    "http://ip6-localhost/",
    "http://localhost6/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.goog/",
    "http://instance-data/latest/",
];

/// What is not read as Java may read it, so that nothing is said of where it leads.
const ODD: [&str; 69] = [
    // numbers
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0X7F000001/",
    "http://017700000001/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://127.0.0.01/",
    "http://127.0.0.1.0x/",
    "http://127.0.0.0x1/",
    "http://0x7f.0.0.1/",
    "http://0x7f.1/",
    "http://1.0x7f/",
    "http://0/",
    "http://00/",
    "http://256.0.0.1/",
    "http://1.2.3.4.5/",
    "http://8.8/",
    // empty and dotted
    "http:///x",
    "http://",
    "http://?x",
    "http://:80/",
    "http:/127.0.0.1/",
    "http:127.0.0.1/",
    "//127.0.0.1/",
    "127.0.0.1",
    "",
    "http://localhost./",
    "http://127.0.0.1./",
    "http://.localhost/",
    "http://a..b/",
    // users
    "http://good@127.0.0.1/",
    "http://good:80@127.0.0.1/",
    "http://127.0.0.1@good/",
    "http://@good/",
    "http://good%40127.0.0.1/",
    // ends of the authority
    "http://good\\\\@127.0.0.1/",
    "http://127.0.0.1\\\\.good/",
    "http://good#@127.0.0.1/",
    "http://127.0.0.1#.good/",
    "http://127.0.0.1;x/",
    "http://good,127.0.0.1/",
    "http://127.0.0.1&@good/",
    "http://good/x#y",
    // encoded
    "http://%31%32%37.0.0.1/",
    "http://127%2e0.0.1/",
    "http://localhos%74/",
    "http://good%2f@127.0.0.1/",
    // not ASCII
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://ⓛocalhost/",
    "http://localhost\\u3002/",
    "http://good\\u00a0/",
    "http://loc\\u00adalhost/",
    // brackets
    "http://[127.0.0.1]/",
    "http://[::1]x/",
    "http://x[::1]/",
    "http://[::1%25lo]/",
    "http://[::1%lo]/",
    "http://[::ffff:127.1]/",
    "http://[v1.a]/",
    "http://[::1/",
    // ports
    "http://good:/",
    "http://good:80:80/",
    "http://good:0/",
    "http://good:65536/",
    // space
    " http://127.0.0.1/",
    "http://127.0.0.1\\t/",
];

/// Other schemes: Java's URLs can be files, archives and mail.
const OTHER_SCHEMES: [&str; 7] = [
    "file:///etc/passwd",
    "file://good/etc/passwd",
    "jar:http://127.0.0.1/x!/y",
    "ftp://good/x",
    "gopher://good/x",
    "netdoc:///etc/passwd",
    "url:http://127.0.0.1/",
];

const GOOD: [&str; 14] = [
    "https://druid.apache.org/data/wikipedia.json.gz",
    "http://h",
    "HTTPS://H:8443/x?y=http://127.0.0.1/",
    "http://my_host/x",
    "http://8.8.8.8/",
    "http://10.0.0.1/",
    "http://128.0.0.1/",
    "http://169.253.255.255/",
    "http://[2001:db8::1]/x",
    "http://[::ffff:8.8.8.8]/",
    "http://notlocalhost/",
    "http://localhost.example/",
    "http://xn--n3h.example/",
    "http://1e100.example/%2e%2e/a;b",
];

#[test]
fn inner_addresses_are_refused_in_every_spelling() {
    let rules = ExternalRules::default();
    for uri in INNER {
        assert_eq!(http(&rules, uri), "external_inner_address", "{uri}");
    }
    for uri in ODD.iter().chain(&OTHER_SCHEMES) {
        assert_eq!(http(&rules, uri), "external_odd_place", "{uri}");
    }
    for uri in GOOD {
        assert_eq!(http(&rules, uri), "ok", "{uri}");
    }
}

/// A list lets through no spelling but the one that it has, or one that is the same to every reader.
#[test]
fn a_list_opens_no_other_spelling() {
    let rules = listing(&["http://good/", "https://good/"]);
    for uri in INNER {
        assert_eq!(http(&rules, uri), "external_not_listed", "{uri}");
    }
    for uri in ODD.iter().chain(&OTHER_SCHEMES) {
        assert_eq!(http(&rules, uri), "external_odd_place", "{uri}");
    }
}

#[test]
fn a_list_may_open_inner_addresses() {
    let rules = listing(&["http://127.0.0.1:8080/data/", "http://[::1]/", "http://localhost:80/"]);
    for (uri, expected) in [
        ("http://127.0.0.1:8080/data/x", "ok"),
        ("http://127.0.0.1:8081/data/x", "external_not_listed"),
        ("http://127.0.0.1/data/x", "external_not_listed"),
        ("http://127.0.0.2:8080/data/x", "external_not_listed"),
        ("https://127.0.0.1:8080/data/x", "external_not_listed"),
        ("http://[0:0::1]:80/x", "ok"),
        ("http://[::ffff:127.0.0.1]:8080/data/x", "external_not_listed"),
        ("http://LOCALHOST/x", "ok"),
        ("http://localhost./x", "external_odd_place"),
    ] {
        assert_eq!(http(&rules, uri), expected, "{uri}");
    }
}

/// The places of other sources that are servers.
#[test]
fn every_server_that_a_source_names_is_judged() {
    const INNER: &str = "external_inner_address";
    const ODD: &str = "external_odd_place";
    for (json, expected) in [
        (r#"{"type":"s3","uris":["s3://b/x"],"endpointConfig":{"url":"http://127.0.0.1:9000"}}"#, INNER),
        (r#"{"type":"s3","endpointConfig":{"url":"127.0.0.1:9000","signingRegion":"us-east-1"}}"#, INNER),
        (r#"{"type":"s3","endpointConfig":{"url":"localhost"}}"#, INNER),
        (r#"{"type":"s3","endpointConfig":{"url":"http://0x7f.1"}}"#, ODD),
        (r#"{"type":"s3","endpointConfig":{"url":"good@127.0.0.1"}}"#, ODD),
        (r#"{"type":"s3","endpointConfig":{"url":"file:///x"}}"#, ODD),
        (r#"{"type":"s3","endpointConfig":{"signingRegion":"x@127.0.0.1/"}}"#, ODD),
        (r#"{"type":"s3","endpointConfig":{"signingRegion":"a.b"}}"#, ODD),
        (r#"{"type":"s3","endpointConfig":{"url":"https://minio.example:9000/","signingRegion":"us-west-2"}}"#, "ok"),
        (r#"{"type":"s3","endpointConfig":{"url":"s3-store.example"}}"#, "ok"),
        (r#"{"type":"s3","proxyConfig":{"host":"127.0.0.1","port":3128}}"#, INNER),
        (r#"{"type":"s3","proxyConfig":{"host":"[::1]","port":3128}}"#, INNER),
        (r#"{"type":"s3","proxyConfig":{"host":"127.1","port":3128}}"#, ODD),
        (r#"{"type":"s3","proxyConfig":{"host":"good/@127.0.0.1","port":3128}}"#, ODD),
        (r#"{"type":"s3","proxyConfig":{"host":"proxy.example","port":3128}}"#, "ok"),
        (r#"{"type":"s3","proxyConfig":{"port":3128}}"#, "ok"),
        (r#"{"type":"hdfs","paths":"hdfs://127.0.0.1:8020/x"}"#, INNER),
        (r#"{"type":"hdfs","paths":["/x","hdfs://localhost/x"]}"#, INNER),
        (r#"{"type":"hdfs","paths":"hdfs://good/x,hdfs://127.0.0.1/x"}"#, ODD),
        (r#"{"type":"hdfs","paths":"//127.0.0.1/x"}"#, ODD),
        (r#"{"type":"hdfs","paths":"webhdfs://127.1/x"}"#, ODD),
        (r#"{"type":"hdfs","paths":"http://169.254.169.254/x"}"#, INNER),
        (r#"{"type":"hdfs","paths":"jar:http://127.0.0.1/x"}"#, ODD),
        (r#"{"type":"hdfs","paths":["hdfs://nn:8020/x/*","hdfs:/x","hdfs:///x","x/y"]}"#, "ok"),
        (r#"{"type":"delta","tablePath":"s3a://127.0.0.1/x"}"#, INNER),
        (r#"{"type":"delta","tablePath":"abfss://c@account.dfs.core.windows.net/x"}"#, "ok"),
        (r#"{"type":"delta","tablePath":"abfss://c@127.0.0.1/x"}"#, INNER),
        (r#"{"type":"delta","tablePath":"/delta/x"}"#, "ok"),
        (r#"{"type":"iceberg","icebergCatalog":{"type":"hive","catalogUri":"thrift://127.0.0.1:9083"}}"#, INNER),
        (
            r#"{"type":"iceberg","icebergCatalog":{"type":"hive","catalogUri":"thrift://a:9083,thrift://[::1]:9083"}}"#,
            INNER,
        ),
        (r#"{"type":"iceberg","icebergCatalog":{"type":"rest","catalogUri":"http://169.254.169.254/"}}"#, INNER),
        (r#"{"type":"iceberg","icebergCatalog":{"type":"local","warehousePath":"hdfs://localhost/x"}}"#, INNER),
        (
            r#"{"type":"iceberg","icebergCatalog":{"type":"glue","catalogProperties":{"s3.endpoint":"127.0.0.1:9000"}}}"#,
            INNER,
        ),
        (r#"{"type":"iceberg","icebergCatalog":{"type":"glue","catalogProperties":{"s3.endpoint":"127.1"}}}"#, ODD),
        (
            r#"{"type":"iceberg","icebergCatalog":{"type":"glue","catalogProperties":{"warehouse":"http://127.0.0.1/"}}}"#,
            INNER,
        ),
        (
            r#"{"type":"iceberg","tableName":"t","namespace":"n","icebergCatalog":{"type":"hive","warehousePath":"hdfs://w/p","catalogUri":"thrift://m:8970","catalogProperties":{"hive.metastore.connect.retries":"1","fs.s3a.endpoint":"s3.example","fs.s3a.proxy.port":"80","warehouse":"s3://b_c/p"}},"warehouseSource":{"type":"hdfs"}}"#,
            "ok",
        ),
        (
            r#"{"type":"iceberg","warehouseSource":{"type":"s3","endpointConfig":{"url":"http://127.0.0.1"},"clientConfig":{"protocol":"http"}}}"#,
            INNER,
        ),
        (
            r#"{"type":"combining","delegates":[{"type":"inline","data":"a"},{"type":"http","uris":["http://127.0.0.1/"]}]}"#,
            INNER,
        ),
        // Files and buckets are no servers.
        (r#"{"type":"local","baseDir":"/etc","filter":"*"}"#, "ok"),
        (r#"{"type":"s3","uris":["s3://127.0.0.1/x"],"prefixes":null}"#, "ok"),
    ] {
        assert_eq!(source(&ExternalRules::default(), json), expected, "{json}");
    }
}

/// A schema that a format asks a server for.
#[test]
fn every_server_that_a_format_names_is_judged() {
    for (json, expected, listed) in [
        (r#"{"type":"json","flattenSpec":{"fields":["http://127.0.0.1/"]}}"#, "ok", "ok"),
        (r#"{}"#, "ok", "ok"),
        (r#"{"type":"a","type":"b"}"#, "external_json", "external_json"),
        (r#"{"avroBytesDecoder":{"type":"schema_inline","schema":{"type":"record"}}}"#, "ok", "ok"),
        (r#"{"protoBytesDecoder":{"type":"inline","descriptorString":"x"}}"#, "ok", "ok"),
        (r#"{"protoBytesDecoder":{"type":"file","descriptor":"a.desc"}}"#, "ok", "ok"),
        (r#"{"protoBytesDecoder":{"type":"file","descriptor":"https://reg/a.desc"}}"#, "ok", "ok"),
        (r#"{"protoBytesDecoder":{"type":"file","descriptor":"https://other/a.desc"}}"#, "ok", "external_not_listed"),
        (
            r#"{"protoBytesDecoder":{"type":"file","descriptor":"file:///etc/passwd"}}"#,
            "external_odd_place",
            "external_odd_place",
        ),
        (
            r#"{"protoBytesDecoder":{"type":"file","descriptor":"http://127.0.0.1/x"}}"#,
            "external_inner_address",
            "external_not_listed",
        ),
        (
            r#"{"valueFormat":{"avroBytesDecoder":{"type":"schema_registry","url":"http://[::1]:8081"}}}"#,
            "external_inner_address",
            "external_not_listed",
        ),
        (
            r#"{"avroBytesDecoder":{"type":"schema_registry","urls":["https://reg","http://127.1"]}}"#,
            "external_odd_place",
            "external_odd_place",
        ),
        (
            r#"{"avroBytesDecoder":{"type":"schema_registry","url":"https://reg/,http://127.0.0.1/"}}"#,
            "external_odd_place",
            "external_odd_place",
        ),
        (
            r#"{"avroBytesDecoder":{"type":"schema_registry","url":"https://reg/x","capacity":9,"headers":{"a":"b"}}}"#,
            "ok",
            "ok",
        ),
        (
            r#"{"avroBytesDecoder":{"type":"schema_registry","url":"https://reg/","config":{"proxy.host":"127.0.0.1"}}}"#,
            "external_inner_address",
            "external_odd_place",
        ),
        (r#"{"avroBytesDecoder":{"type":"schema_repo","url":"x"}}"#, "external_unknown_type", "external_unknown_type"),
        (r#"{"avroBytesDecoder":{"url":"http://127.0.0.1/"}}"#, "external_unknown_type", "external_unknown_type"),
        (
            r#"{"protoBytesDecoder":{"type":"file","descriptor":"a","x":1}}"#,
            "external_unknown_key",
            "external_unknown_key",
        ),
    ] {
        assert_eq!(outcome(ExternalRules::default().input_format(json)), expected, "{json}");
        assert_eq!(outcome(listing(&["https://reg/"]).input_format(json)), listed, "{json}");
    }
}
