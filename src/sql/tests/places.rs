//! Where needs come from.

use std::collections::BTreeSet;

use super::{FILES, cases};
use crate::sql::{DruidSource, ExternalPermission, ExternalRules, PlaceRole, places, read, tokens};

#[test]
fn every_need_has_a_place_and_every_place_its_need() {
    let mut count = 0;
    for case in FILES.iter().flat_map(|(_, file)| cases(file)) {
        let (reading, places) =
            match (read(&case.sql, &case.parameters), places(&ExternalRules::default(), &case.sql, &case.parameters)) {
                (Ok(reading), Ok(places)) => (reading, places),
                (reading, places) => {
                    assert_eq!(reading.err(), places.err(), "{}", case.sql);
                    continue;
                }
            };
        let needs: BTreeSet<_> = places.iter().flat_map(|place| place.needs.iter().cloned()).collect();
        assert_eq!(needs, reading.resources, "{}", case.sql);
        let system = places.iter().filter(|place| place.role == PlaceRole::SystemTable);
        let named: BTreeSet<_> = system.map(|place| place.name.as_str()).collect();
        assert_eq!(named, reading.system_tables.iter().map(|table| table.name.as_str()).collect(), "{}", case.sql);
        let tokens = tokens(&case.sql).unwrap();
        for place in places {
            count += 1;
            let starts = tokens.iter().any(|token| token.start == place.range.start);
            let ends = tokens.iter().any(|token| token.end == place.range.end);
            assert!(starts && ends && !place.range.is_empty(), "{}: {place:?}", case.sql);
        }
    }
    assert!(count >= 400, "{count} places");
}

#[test]
fn places_are_what_is_written() {
    let sql = "INSERT INTO druid.t WITH a AS (SELECT * FROM \"x y\") SELECT * FROM a, (b LIMIT 1), TABLE(APPEND('c' 'd', \
               ('e'))), sys.tasks, lookup.l, view.v, TABLE(EXTERN('{\"type\":\"inline\"}', '{}'))";
    let found: Vec<_> = places(&ExternalRules::default(), sql, &[]).unwrap();
    let found: Vec<_> =
        found.iter().map(|place| (sql.get(place.range.clone()).unwrap(), place.role, place.name.as_str())).collect();
    assert_eq!(
        found,
        [
            ("druid.t", PlaceRole::Target, "t"),
            ("\"x y\"", PlaceRole::Datasource, "x y"),
            ("a", PlaceRole::WithItem, "a"),
            ("b", PlaceRole::Datasource, "b"),
            ("'c' 'd'", PlaceRole::Appended, "cd"),
            ("('e')", PlaceRole::Appended, "e"),
            ("sys.tasks", PlaceRole::SystemTable, "tasks"),
            ("lookup.l", PlaceRole::Lookup, "l"),
            ("view.v", PlaceRole::View, "v"),
            ("EXTERN", PlaceRole::External, "EXTERN"),
        ]
    );
    let export = "INSERT INTO EXTERN(s3(bucket => 'b')) AS CSV SELECT 1";
    let found = places(&ExternalRules::default(), export, &[]).unwrap();
    assert_eq!((export.get(found[0].range.clone()).unwrap(), found[0].role), ("s3", PlaceRole::Export));
}

#[test]
fn a_call_needs_what_its_own_arguments_say() {
    let rules = ExternalRules {
        druid: DruidSource::RequireRead,
        permission: ExternalPermission::ByType,
        ..ExternalRules::default()
    };
    let source = |json: &str| format!("TABLE(EXTERN('{json}', '{{}}')) EXTEND (x BIGINT)");
    let (inline, druid) =
        (r#"{"type":"inline","data":"x"}"#, r#"{"type":"druid","dataSource":"a","interval":"2020/2021"}"#);
    let sql = format!("SELECT * FROM {}, {}, b", source(inline), source(druid));
    let found = places(&rules, &sql, &[]).unwrap();
    let needs: Vec<Vec<String>> =
        found.iter().map(|place| place.needs.iter().map(ToString::to_string).collect()).collect();
    assert_eq!(
        needs,
        [vec!["READ EXTERNAL inline"], vec!["READ DATASOURCE a", "READ EXTERNAL druid"], vec!["READ DATASOURCE b"]]
    );
}
