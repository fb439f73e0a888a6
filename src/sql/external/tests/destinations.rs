//! The list of destinations: what each kind of entry opens, and nothing else.

use super::*;

const NOT_LISTED: &str = "external_not_listed";
const ODD: &str = "external_odd_place";

/// Each source with what becomes of it under a list of these entries.
fn check(entries: &[&str], cases: &[(&str, &str)]) {
    let rules = listing(entries);
    for (json, expected) in cases {
        assert_eq!(source(&rules, json), *expected, "{entries:?} {json}");
    }
}

/// The same, the cases being URIs of a source of this type.
fn check_key(entry: &str, source_type: &str, key: &str, cases: &[(&str, &str)]) {
    let json = |place: &str| format!(r#"{{"type":"{source_type}","{key}":["{place}"]}}"#);
    let sources: Vec<(String, &str)> = cases.iter().map(|(place, expected)| (json(place), *expected)).collect();
    check(&[entry], &sources.iter().map(|(json, expected)| (json.as_str(), *expected)).collect::<Vec<_>>());
}

#[test]
fn web_servers_are_listed_by_scheme_host_port_and_path() {
    check_key(
        "https://data.example/public/",
        "http",
        "uris",
        &[
            ("https://data.example/public/x.json", "ok"),
            ("https://DATA.example:443/public/a/b?c=d", "ok"),
            ("https://data.example/public/", "ok"),
            ("https://data.example/public/a//b", "ok"),
            ("https://data.example/public/a%20b", "ok"),
            ("https://data.example/public/%C3%A9", "ok"),
            ("https://data.example/public", NOT_LISTED),
            ("https://data.example/publicity/x", NOT_LISTED),
            ("https://data.example/", NOT_LISTED),
            ("https://data.example", NOT_LISTED),
            ("https://data.example//public/x", NOT_LISTED),
            ("https://data.example/Public/x", NOT_LISTED),
            ("http://data.example/public/x", NOT_LISTED),
            ("https://data.example:8443/public/x", NOT_LISTED),
            ("https://other.example/public/x", NOT_LISTED),
            ("https://data.example.other/public/x", NOT_LISTED),
            ("https://x.data.example/public/x", NOT_LISTED),
            ("https://data.example/public/../secret", ODD),
            ("https://data.example/public/..", ODD),
            ("https://data.example/public/./x", ODD),
            ("https://data.example/public/..;x/secret", ODD),
            ("https://data.example/public/%2e%2e/secret", ODD),
            ("https://data.example/public/.%2E/secret", ODD),
            ("https://data.example/public/..%2fsecret", ODD),
            ("https://data.example/public%2fx", ODD),
            ("https://data.example/publi%63/x", ODD),
            ("https://data.example/public/%252e%252e/x", ODD),
            ("https://data.example/public/%5c..", ODD),
            ("https://data.example/public/%00", ODD),
            ("https://data.example/public/%zz", ODD),
            ("https://data.example/public/%c3", ODD),
            ("https://data.example/public/x%", ODD),
        ],
    );
    check_key(
        "http://data.example:8080/file.json",
        "http",
        "uris",
        &[
            ("http://data.example:8080/file.json", "ok"),
            ("http://data.example:8080/file.json?x", "ok"),
            ("http://data.example:8080/file.json/x", "ok"),
            ("http://data.example:8080/file.jsonx", NOT_LISTED),
            ("http://data.example/file.json", NOT_LISTED),
        ],
    );
    check_key(
        "https://data.example",
        "http",
        "uris",
        &[("https://data.example", "ok"), ("https://data.example/x", "ok"), ("https://data.example?x", "ok")],
    );
    check_key("https://h/a%20b/", "http", "uris", &[("https://h/a%20b/x", "ok"), ("https://h/a+b/x", NOT_LISTED)]);
}

#[test]
fn buckets_are_listed_by_scheme_name_and_prefix() {
    for (source_type, scheme) in [("s3", "s3"), ("google", "gs"), ("azure", "azure")] {
        let entry = format!("{scheme}://bucket/prefix/");
        let at = |path: &str| format!("{scheme}://{path}");
        let cases = [
            (at("bucket/prefix/x"), "ok"),
            (at("bucket/prefix/a%20b"), "ok"),
            (at("bucket/prefixes/x"), NOT_LISTED),
            (at("bucket/x"), NOT_LISTED),
            (at("bucket"), NOT_LISTED),
            (at("Bucket/prefix/x"), NOT_LISTED),
            (at("bucket.x/prefix/x"), NOT_LISTED),
            (at("bucket:80/prefix/x"), ODD),
            (at("user@bucket/prefix/x"), ODD),
            (at("bucket/prefix/../x"), ODD),
            (at("bucket/prefix%2fx"), ODD),
            ("http://bucket/prefix/x".to_owned(), ODD),
            (format!("{}://bucket/prefix/x", scheme.to_uppercase()), "ok"),
        ];
        let cases: Vec<_> = cases.iter().map(|(place, expected)| (place.as_str(), *expected)).collect();
        check_key(&entry, source_type, "uris", &cases);
        // What a prefix without a slash at its end finds may have another name.
        let prefixes = [(at("bucket/prefix/"), "ok"), (at("bucket/prefix"), NOT_LISTED), (at("bucket/"), NOT_LISTED)];
        let prefixes: Vec<_> = prefixes.iter().map(|(place, expected)| (place.as_str(), *expected)).collect();
        check_key(&entry, source_type, "prefixes", &prefixes);
        check_key(&entry.replace("prefix/", "prefix"), source_type, "prefixes", &prefixes);
        check_key(&format!("{scheme}://bucket"), source_type, "prefixes", &[(at("bucket").as_str(), "ok")]);
        let object = |bucket: &str, path: &str| {
            format!(r#"{{"type":"{source_type}","objects":[{{"bucket":"{bucket}","path":"{path}"}}]}}"#)
        };
        check(
            &[&entry],
            &[
                (&object("bucket", "prefix/x"), "ok"),
                (&object("bucket", "/prefix/a b%2e"), "ok"),
                (&object("bucket", "//prefix/x"), NOT_LISTED),
                (&object("bucket", "prefix"), NOT_LISTED),
                (&object("other", "prefix/x"), NOT_LISTED),
                (&object("bucket", "prefix/../x"), ODD),
                (&object("bucket", "prefix/x "), ODD),
                (&object("bucket/", "prefix/x"), ODD),
                (&object("arn:aws:s3:x", "prefix/x"), ODD),
            ],
        );
    }
    check_key(
        "azureStorage://account/container/p/",
        "azureStorage",
        "uris",
        &[
            ("azureStorage://account/container/p/x", "ok"),
            ("azurestorage://account/container/p/x", "ok"),
            ("azureStorage://account/other/p/x", NOT_LISTED),
            ("azureStorage://other/container/p/x", NOT_LISTED),
            ("azure://account/container/p/x", ODD),
        ],
    );
    // One kind of bucket is not another of the same name.
    check_key("s3://bucket/", "google", "uris", &[("gs://bucket/x", NOT_LISTED), ("s3://bucket/x", ODD)]);
}

/// Another store, or a proxy, is listed beside the bucket, as a whole.
#[test]
fn endpoints_and_proxies_are_listed_whole() {
    let endpoint = |url: &str| format!(r#"{{"type":"s3","uris":["s3://b/x"],"endpointConfig":{{"url":"{url}"}}}}"#);
    let proxy = |host: &str, port: u16| {
        format!(r#"{{"type":"s3","uris":["s3://b/x"],"proxyConfig":{{"host":"{host}","port":{port}}}}}"#)
    };
    check(
        &["s3://b/", "https://minio.example:9000/", "https://part.example/s3/", "http://proxy.example:3128"],
        &[
            (&endpoint("https://minio.example:9000"), "ok"),
            (&endpoint("https://minio.example:9000/x/../y"), "ok"),
            (&endpoint("http://minio.example:9000"), NOT_LISTED),
            (&endpoint("https://minio.example"), NOT_LISTED),
            (&endpoint("https://part.example/s3/"), NOT_LISTED),
            (&endpoint("minio.example:9000"), ODD),
            (&proxy("proxy.example", 3128), "ok"),
            (&proxy("proxy.example", 3129), NOT_LISTED),
            (&proxy("minio.example", 9000), NOT_LISTED),
            (&proxy("http://proxy.example", 3128), ODD),
        ],
    );
    check(&["https://minio.example:9000/"], &[(&endpoint("https://minio.example:9000"), NOT_LISTED)]);
}

#[test]
fn hdfs_is_listed_by_server_and_path() {
    check_key(
        "hdfs://nn:8020/data/in/",
        "hdfs",
        "paths",
        &[
            ("hdfs://nn:8020/data/in/x", "ok"),
            ("hdfs://NN:8020/data/in/x", "ok"),
            ("HDFS://nn:8020/data/in", "ok"),
            ("hdfs://nn:8020/data/in/*/?.json", "ok"),
            ("hdfs://nn:8020/data/in*", NOT_LISTED),
            ("hdfs://nn:8020/data/*", NOT_LISTED),
            ("hdfs://nn:8020/data/inner/x", NOT_LISTED),
            ("hdfs://nn/data/in/x", NOT_LISTED),
            ("hdfs://other:8020/data/in/x", NOT_LISTED),
            ("/data/in/x", NOT_LISTED),
            ("hdfs:/data/in/x", NOT_LISTED),
            ("hdfs://nn:8020/data/in/../x", ODD),
            ("hdfs://nn:8020/data/in/{a}", ODD),
            ("hdfs://nn:8020/data/in/[ab]", ODD),
            ("hdfs://nn:8020/data/in/x,/secret", ODD),
            ("hdfs://nn:8020/data/in/x\\\\..", ODD),
            ("hdfs://user@nn:8020/data/in/x", ODD),
            ("webhdfs://nn:8020/data/in/x", ODD),
            ("file:///data/in/x", ODD),
            ("data/in/x", ODD),
        ],
    );
    check_key(
        "hdfs:/data/",
        "hdfs",
        "paths",
        &[
            ("/data/x", "ok"),
            ("hdfs:/data/x", "ok"),
            ("hdfs:///data/x", "ok"),
            ("hdfs://nn/data/x", NOT_LISTED),
            ("hdfs:///dat", NOT_LISTED),
            ("//data/x", ODD),
        ],
    );
    check_key("hdfs:///data/", "hdfs", "paths", &[("/data/x", "ok")]);
    check(
        &["hdfs:/data/"],
        &[
            (r#"{"type":"hdfs","paths":"/data/x"}"#, "ok"),
            (r#"{"type":"hdfs","paths":["/data/x","/y"]}"#, NOT_LISTED),
            (r#"{"type":"hdfs","paths":"/data/x,/y"}"#, ODD),
        ],
    );
}

#[test]
fn local_files_are_listed_by_folder() {
    check_key(
        "local:/srv/druid/in/",
        "local",
        "files",
        &[
            ("/srv/druid/in/x", "ok"),
            ("/srv/druid/in/a b%2e", "ok"),
            ("/srv/druid/inner/x", NOT_LISTED),
            ("/srv/druid/x", NOT_LISTED),
            ("/etc/passwd", NOT_LISTED),
            ("/srv/druid/in/../x", ODD),
            ("/srv/druid/in/.. ", ODD),
            ("/srv/druid/in/..\\u0000", ODD),
            ("/srv/druid/in/x\\n", ODD),
            ("srv/druid/in/x", ODD),
            (" /srv/druid/in/x", ODD),
            ("file:///srv/druid/in/x", ODD),
            ("", ODD),
        ],
    );
    check(
        &["local:/srv/druid/in/"],
        &[
            (r#"{"type":"local","baseDir":"/srv/druid/in","filter":"*"}"#, "ok"),
            (r#"{"type":"local","baseDir":"/srv/druid/in/","filter":"*"}"#, "ok"),
            (r#"{"type":"local","baseDir":"/srv/druid/in/a","filter":"*","files":["/srv/druid/in/b"]}"#, "ok"),
            (r#"{"type":"local","baseDir":"/srv/druid/in","filter":"*","files":["/etc/passwd"]}"#, NOT_LISTED),
            (r#"{"type":"local","baseDir":"/srv/druid","filter":"*"}"#, NOT_LISTED),
            (r#"{"type":"local","baseDir":"/","filter":"*"}"#, NOT_LISTED),
        ],
    );
}

/// Tables say themselves which files are read, so they are listed by type, or not at all.
#[test]
fn tables_are_listed_by_type() {
    let delta = r#"{"type":"delta","tablePath":"/delta/x"}"#;
    let iceberg = r#"{"type":"iceberg","tableName":"t","namespace":"n","icebergCatalog":{"type":"hive"},"warehouseSource":{"type":"hdfs"}}"#;
    check(&["hdfs:/", "local:/"], &[(delta, NOT_LISTED), (iceberg, NOT_LISTED)]);
    check(&["delta:"], &[(delta, "ok"), (iceberg, NOT_LISTED)]);
    check(&["iceberg:"], &[(delta, NOT_LISTED), (iceberg, "ok")]);
    let inner = r#"{"type":"delta","tablePath":"s3a://127.0.0.1/x"}"#;
    check(&["delta:"], &[(inner, "external_inner_address")]);
}

#[test]
fn what_reads_nothing_outside_needs_no_entry_and_an_empty_list_opens_nothing() {
    let cases = [
        (r#"{"type":"inline","data":"a"}"#, "ok"),
        (r#"{"type":"generator","numRows":10}"#, "ok"),
        (r#"{"type":"http","uris":["https://h/x"]}"#, NOT_LISTED),
        (r#"{"type":"s3","uris":["s3://b/x"]}"#, NOT_LISTED),
        (r#"{"type":"local","files":["/x"]}"#, NOT_LISTED),
        (
            r#"{"type":"combining","delegates":[{"type":"inline","data":"a"},{"type":"local","files":["/x"]}]}"#,
            NOT_LISTED,
        ),
    ];
    check(&[], &cases);
}

#[test]
fn the_arguments_of_table_functions_are_judged_alike() {
    let rules = listing(&["https://h/public/", "local:/srv/in/"]);
    for (call, expected) in [
        ("HTTP(uris => ARRAY['https://h/public/a', 'https://h/public/b'], format => 'csv')", "EXTERNAL|EXTERNAL|READ"),
        (
            "HTTP(\"uris\" => ARRAY[('https://h/public/a')], skipRows => 1, x => TRUE, y => NULL)",
            "EXTERNAL|EXTERNAL|READ",
        ),
        ("HTTP(uris => ARRAY['https://h/public/a', 'https://h/b'])", NOT_LISTED),
        ("HTTP(URIS => ARRAY['https://h/b'])", NOT_LISTED),
        ("HTTP(U&\"\\0075ris\" => ARRAY['https://h/b'])", NOT_LISTED),
        ("HTTP(uris => ARRAY[U&'https://h/\\0062'])", NOT_LISTED),
        ("HTTP(uris => ARRAY['https://h/public/a'], uris => ARRAY['https://h/b'])", "table_function_argument"),
        ("HTTP(ARRAY['https://h/public/a'])", "table_function_argument"),
        ("HTTP(uris => ARRAY['https://h/public/a'] || ARRAY['https://h/b'])", "table_function_argument"),
        ("HTTP(uris => ARRAY(SELECT 'https://h/b'))", "table_function_argument"),
        ("LOCALFILES(baseDir => '/srv/in', \"filter\" => '*')", "EXTERNAL|EXTERNAL|READ"),
        ("LOCALFILES(files => ARRAY['/srv/in/a'])", "EXTERNAL|EXTERNAL|READ"),
        ("LOCALFILES(baseDir => '/srv', files => ARRAY['in/a', 'in/b'])", "EXTERNAL|EXTERNAL|READ"),
        ("LOCALFILES(baseDir => '/srv/in', files => ARRAY['../a'])", ODD),
        ("LOCALFILES(baseDir => '/srv', files => ARRAY['in/a', 'b'])", NOT_LISTED),
        ("LOCALFILES(files => ARRAY['b'], baseDir => '/etc')", NOT_LISTED),
        ("LOCALFILES(baseDir => '', files => ARRAY['srv/in/a'])", ODD),
        ("LOCALFILES(baseDir => '/etc', \"filter\" => '*')", NOT_LISTED),
        ("LOCALFILES(baseDir => ARRAY['/etc'], \"filter\" => '*')", "external_json"),
        ("LOCALFILES(baseDir => '/srv/in', files => '/etc/passwd')", "external_json"),
        ("INLINE(data => ARRAY['a' || 'b'], format => 'csv')", "EXTERNAL|EXTERNAL|READ"),
    ] {
        assert_eq!(needs(&rules, &format!("SELECT * FROM TABLE({call}) EXTEND (x VARCHAR)")), expected, "{call}");
    }
}

#[test]
fn arguments_have_their_bound() {
    let call = |count: usize| {
        let others: String = (1..count).map(|n| format!(", a{n} => 'x'")).collect();
        needs(&ExternalRules::default(), &format!("SELECT * FROM TABLE(HTTP(uris => ARRAY['https://h/']{others}))"))
    };
    assert_eq!(call(32), "EXTERNAL|EXTERNAL|READ");
    assert_eq!(call(33), "table_function_argument");
}

#[test]
fn odd_entries_are_told_all_at_once() {
    let odd = [
        "data.example/public/",
        "ftp://h/",
        "http://h:0/",
        "http://2130706433/",
        "http://user@h/",
        "https://h/x?y",
        "https://h/x#y",
        "https://h/../",
        "https://h/%2e/",
        "https:///x",
        "https://*.example/",
        "s3://b:80/",
        "s3:/b/",
        "azurestorage://a/",
        "HTTPS://h/",
        "local:srv/",
        "local:",
        "local:/a/../b",
        "hdfs:data/",
        "hdfs:/a/{b}",
        "delta:/x",
        "iceberg://x",
        "",
    ];
    let mut entries = vec!["https://h/", "local:/"];
    entries.extend(odd);
    let found = Destinations::parse(entries.iter().copied()).unwrap_err();
    let places: Vec<usize> = found.iter().map(|(index, _)| *index).collect();
    assert_eq!(places, (2..entries.len()).collect::<Vec<_>>(), "{found:?}");
    let many = vec!["https://h/"; MAX_DESTINATIONS + 1];
    assert_eq!(Destinations::parse(many.iter().copied()).unwrap_err(), [(MAX_DESTINATIONS, "one more than are taken")]);
    assert!(Destinations::parse(many.into_iter().skip(1)).is_ok());
}
