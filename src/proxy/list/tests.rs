use super::*;
use crate::auth::Identity;
use crate::config::Limits;
use crate::druid::{List, Shown, Sums};
use crate::json::Json;
use crate::permission::{Action, ResourceName, ResourceType};
use crate::policy::{Grants, Policy};
use crate::query_id::{OwnIds, QueryIds};

fn filter(list: List) -> ListFilter {
    filter_within(list, &Limits::default())
}

fn filter_within(list: List, limits: &Limits) -> ListFilter {
    let policy = r#"
        [roles.r]
        permissions = ["READ DATASOURCE wiki*", "WRITE DATASOURCE taxi"]
        [[bindings]]
        issuer = "dev"
        subject = "a"
        roles = ["r"]
    "#;
    let policy = Policy::parse(policy, &["dev".to_owned()]).expect("policy");
    ListFilter::new(list, policy.grants_of(&Identity::for_tests("dev", "a", &[])), limits)
}

/// The list in pieces of every size: the same each time.
fn filtered(list: &str) -> Result<String, ListFault> {
    filtered_as(List::Items, list)
}

fn filtered_as(kind: List, list: &str) -> Result<String, ListFault> {
    let mut answers = (1..=list.len().max(1)).map(|size| {
        let mut filter = filter(kind);
        let mut out = Vec::new();
        for piece in list.as_bytes().chunks(size) {
            out.extend(filter.feed(piece)?);
        }
        out.extend(filter.finish()?);
        Ok(String::from_utf8(out).expect("UTF-8"))
    });
    let first = answers.next().expect("one");
    assert!(answers.all(|answer| answer == first));
    first
}

#[test]
fn items_are_kept_or_dropped_whole_and_in_order() {
    let keep = r#"{"id":"a","dataSource":"wiki","x":{"dataSource":"taxi"}}"#;
    let keep2 = r#"{"dataSource":"wiki2","errorMsg":"\"]}[{\\"}"#;
    let drop = r#"{"id":"b","dataSource":"taxi"}"#;
    assert_eq!(filtered(&format!("[{drop},{keep},{drop},{keep2},{drop}]")), Ok(format!("[{keep},{keep2}]")));
    assert_eq!(filtered(&format!(" [ {keep} ,\n{drop} ] ")), Ok(format!("[{keep}]")));
    assert_eq!(filtered(&format!("[{drop}]")), Ok("[]".to_owned()));
    assert_eq!(filtered("[]"), Ok("[]".to_owned()));
}

/// An `errorMsg` that Druid cut within a character: one user's failed query must not break everybody's list.
#[test]
fn half_a_surrogate_pair_does_not_break_the_list() {
    let keep = r#"{"dataSource":"wiki","errorMsg":"Invalid format: \"aa\uD83D\uDE00\uD83D..."}"#;
    let drop = r#"{"dataSource":"__query_select","errorMsg":"\uD83D"}"#;
    assert_eq!(filtered(&format!("[{drop},{keep},{drop}]")), Ok(format!("[{keep}]")));
}

#[test]
fn what_is_not_a_list_of_tasks_breaks_off() {
    for list in [
        "{}",
        "null",
        "[1]",
        r#"["wiki"]"#,
        r#"[{"id":"a"}]"#,
        r#"[{"dataSource":null}]"#,
        r#"[{"dataSource":"wiki","dataSource":"taxi"}]"#,
        r#"[{"dataSource":"wiki"}{"dataSource":"wiki"}]"#,
        r#"[{"dataSource":"wiki"},]"#,
        r#"[,{"dataSource":"wiki"}]"#,
        r#"[{"dataSource":"wiki"]}]"#,
        r#"[] {"dataSource":"taxi"}"#,
        r#"[[{"dataSource":"wiki"}]]"#,
    ] {
        assert_eq!(filtered(list), Err(ListFault::NotAList), "{list}");
    }
    for list in ["", "[", r#"[{"dataSource":"wiki"}"#, r#"[{"dataSource":"wiki"},"#, r#"[{"dataSource":"wi"#] {
        assert_eq!(filtered(list), Err(ListFault::CutOff), "{list}");
    }
}

#[test]
fn nothing_follows_an_unreadable_item() {
    let mut filter = filter(List::Items);
    assert_eq!(filter.feed(br#"[{"dataSource":"wiki"},"#), Ok(br#"[{"dataSource":"wiki"}"#.to_vec()));
    assert_eq!(filter.feed(br#"7,{"dataSource":"wiki"}]"#), Err(ListFault::NotAList));
}

#[test]
fn an_item_is_bounded() {
    let (mut filter, bound) = (filter(List::Items), Limits::default().list_item_bytes);
    let long = format!(r#"[{{"dataSource":"wiki","errorMsg":"{}"#, "x".repeat(bound));
    assert_eq!(filter.feed(long.as_bytes()), Err(ListFault::ItemTooLong(bound)));
}

/// Items that nobody may see count too: they are read.
#[test]
fn a_list_is_bounded() {
    let mut filter = filter_within(List::Items, &Limits { list_bytes: 100, ..Limits::default() });
    let item = r#"{"dataSource":"taxi"}"#;
    assert_eq!(filter.feed(format!("[{item},{item},{item}").as_bytes()), Ok(b"[".to_vec()));
    assert_eq!(filter.feed(format!(",{item},{item}").as_bytes()), Err(ListFault::TooLong(100)));
}

#[test]
fn lists_of_names_and_of_named_objects_are_filtered_too() {
    let names = |list: &str| filtered_as(List::Named(ResourceType::Datasource), list);
    assert_eq!(
        names(r#"["taxi","wiki", "wik\u0069" ,"a\"b","wiki\\x"]"#),
        Ok(r#"["wiki","wik\u0069","wiki\\x"]"#.to_owned())
    );
    let full = r#"{"name":"wiki","segments":[{"dataSource":"taxi"}]}"#;
    assert_eq!(names(&format!(r#"[{{"name":"taxi"}},{full}]"#)), Ok(format!("[{full}]")));
    for list in [r#"[{"dataSource":"wiki"}]"#, r#"["wiki" "taxi"]"#, r#"["wiki"]]"#, "[null]", r#"{"wiki":{}}"#] {
        assert_eq!(names(list), Err(ListFault::NotAList), "{list}");
    }
    assert_eq!(names(r#"["wiki"#), Err(ListFault::CutOff));
    assert_eq!(filtered(r#"["wiki"]"#), Err(ListFault::NotAList));
}

#[test]
fn supervisors_are_shown_as_they_were_asked_for() {
    let one = |id: &str, datasources: &str| {
        format!(
            r#"{{"id":"{id}","state":"RUNNING","spec":{{"type":"NoopSupervisorSpec","dataSources":{datasources},"type":"noop"}},"suspended":false}}"#
        )
    };
    let (mine, others, both) = (one("s", r#"["taxi"]"#), one("t", r#"["wiki"]"#), one("u", r#"["taxi","wiki"]"#));
    let list = format!("[{others},{mine},{both}]");
    let shown = |shown: Shown| filtered_as(List::Supervisors(shown), &list);
    assert_eq!(shown(Shown::Id), Ok(r#"["s"]"#.to_owned()));
    assert_eq!(shown(Shown::WithoutSpec), Ok(r#"[{"id":"s","state":"RUNNING","suspended":false}]"#.to_owned()));
    assert_eq!(shown(Shown::All), Ok(format!("[{mine}]")));
    assert_eq!(filtered_as(List::Supervisors(Shown::Id), r#"["s"]"#), Err(ListFault::NotAList));
    // A spec that could be about any datasource is seen by who may write to all.
    let unknown = r#"[{"id":"s","spec":{"type":"another","dataSource":"taxi"}}]"#;
    assert_eq!(filtered_as(List::Supervisors(Shown::Id), unknown), Ok("[]".to_owned()));
}

#[test]
fn histories_lose_versions_and_what_is_left_empty() {
    let version = |datasource: &str| {
        format!(r#"{{"spec":{{"type":"kafka","dataSchema":{{"dataSource":"{datasource}"}}}},"version":"v"}}"#)
    };
    let (seen, unseen) = (version("wiki"), version("taxi"));
    let list = format!(r#"{{"a":[{unseen},{seen}],"b":[{unseen}], "c\"" : [{{"spec":null,"version":"v"}},{seen}]}}"#);
    assert_eq!(filtered_as(List::Histories, &list), Ok(format!(r#"{{"a":[{seen}],"c\"":[{seen}]}}"#)));
    assert_eq!(filtered_as(List::Histories, "{}"), Ok("{}".to_owned()));
    assert_eq!(filtered_as(List::History, &format!("[{unseen},{seen}]")), Ok(format!("[{seen}]")));
    for list in [r#"{"a":{}}"#, r#"{"a":[{}]}"#, r#"{"a":[],"b"}"#, r#"{"a":1}"#, "[]", r#"{"a" [] }"#, r#"{[]}"#] {
        assert_eq!(filtered_as(List::Histories, list), Err(ListFault::NotAList), "{list}");
    }
    assert_eq!(filtered_as(List::Histories, r#"{"a":[]"#), Err(ListFault::CutOff));
}

#[test]
fn a_wrapped_list_is_filtered_within() {
    let list = r#"{"latestStatus":[{"dataSource":"taxi"},{"dataSource":"wiki","bytes":1.50}]}"#;
    let filtered = |list: &str| filtered_as(List::Wrapped("latestStatus"), list);
    assert_eq!(filtered(list), Ok(r#"{"latestStatus":[{"dataSource":"wiki","bytes":1.50}]}"#.to_owned()));
    for list in [r#"{"latestStatus":{}}"#, r#"{"more":[]}"#, r#"{"latestStatus":[{"name":"wiki"}]}"#] {
        assert_eq!(filtered(list), Err(ListFault::NotAList), "{list}");
    }
}

#[test]
fn sums_are_of_what_is_seen() {
    let list = r#"{"i/j":{"wiki":{"size":10,"count":2},"taxi":{"size":100,"count":9}},
        "j/k":{"taxi":{"size":5,"count":1}}, "k/l":{"wiki2":{"size":3,"count":1},"wiki":{"size":1,"count":1}}}"#;
    let sums = |sums: Sums| filtered_as(List::Intervals(sums), list);
    assert_eq!(
        sums(Sums::None),
        Ok(r#"{"i/j":{"wiki":{"size":10,"count":2}},"k/l":{"wiki2":{"size":3,"count":1},"wiki":{"size":1,"count":1}}}"#
            .to_owned())
    );
    assert_eq!(sums(Sums::OfEach), Ok(r#"{"i/j":{"size":10,"count":2},"k/l":{"size":4,"count":2}}"#.to_owned()));
    assert_eq!(sums(Sums::OfAll), Ok(r#"{"size":14,"count":4}"#.to_owned()));
    let none = r#"{"j/k":{"taxi":{"size":5,"count":1}}}"#;
    assert_eq!(filtered_as(List::Intervals(Sums::OfAll), none), Ok("{}".to_owned()));
    assert_eq!(filtered_as(List::Intervals(Sums::OfAll), r#"{"i":{"wiki":{"size":"1"}}}"#), Err(ListFault::NotAList));
}

#[test]
fn tables_of_the_catalog_are_of_their_schemas_type() {
    let list = r#"[{"schema":"druid","name":"wiki"},{"id":{"schema":"druid","name":"wiki2"},"x":1},
        {"schema":"druid","name":"taxi"},{"schema":"ext","name":"wiki"},{"schema":"nope","name":"wiki"}]"#;
    assert_eq!(
        filtered_as(List::CatalogTables, list),
        Ok(r#"[{"schema":"druid","name":"wiki"},{"id":{"schema":"druid","name":"wiki2"},"x":1}]"#.to_owned())
    );
    let named = |of, list: &str| filtered_as(List::Named(of), list);
    let metadata = r#"[{"id":{"schema":"druid","name":"wiki"}},{"id":{"schema":"druid","name":"taxi"}}]"#;
    assert_eq!(
        named(ResourceType::Datasource, metadata),
        Ok(r#"[{"id":{"schema":"druid","name":"wiki"}}]"#.to_owned())
    );
    assert_eq!(named(ResourceType::View, r#"["wiki"]"#), Ok("[]".to_owned()));
}

/// What a pattern is: its stars are runs, all else is itself.
fn covers(pattern: &[char], name: &[char]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some(('*', rest)) => (0..=name.len()).any(|skip| covers(rest, &name[skip..])),
        Some((first, rest)) => name.first() == Some(first) && covers(rest, &name[1..]),
    }
}

/// Random names by random patterns: the policy, its merged patterns, and the filter are all what a pattern is. (That
/// SQL's conditions and Druid's expressions are the same, Druid itself tells the tests of narrowing.)
#[test]
fn random_names_are_kept_as_the_policy_says() {
    const LETTERS: [char; 20] =
        ['a', 'a', 'b', '*', '*', '*', '_', '%', '\\', '\'', '"', '.', '(', '[', '$', '?', 'é', '€', '😀', '}'];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % bound
    };
    let mut word = |longest: usize| -> String {
        let length = 1 + below(longest);
        (0..length).map(|_| LETTERS[below(LETTERS.len())]).collect()
    };
    let mut kept = 0;
    for _ in 0..400 {
        let mut patterns: Vec<String> = (0..3).map(|_| word(4)).collect();
        patterns.dedup();
        let lines: Vec<Json> =
            patterns.iter().map(|pattern| Json::string(format!("READ DATASOURCE {pattern}"))).collect();
        let policy = format!(
            "[roles.r]\npermissions = {}\n[[bindings]]\nissuer = \"dev\"\nsubject = \"a\"\nroles = [\"r\"]",
            Json::Array(lines).render()
        );
        // Two may be one once their stars are merged, and are refused.
        let Ok(policy) = Policy::parse(&policy, &["dev".to_owned()]) else { continue };
        let grants = policy.grants_of(&Identity::for_tests("dev", "a", &[]));
        let merged = grants.patterns(Action::Read, ResourceType::Datasource, 10);
        let names: Vec<String> = (0..20).map(|_| word(6)).collect();
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        let expected: Vec<Json> = names
            .iter()
            .filter(|name| patterns.iter().any(|pattern| covers(&letters(pattern), &letters(name))))
            .map(|name| Json::string(name.clone()))
            .collect();
        for name in &names {
            let exact = ResourceName::Exactly(name.clone());
            let by_merged = merged.iter().any(|pattern| pattern.covers(&exact));
            assert_eq!(
                by_merged,
                expected.contains(&Json::string(name.clone())),
                "{merged:?} of {patterns:?} on {name}"
            );
        }
        let list = Json::Array(names.into_iter().map(Json::string).collect()).render();
        let mut filter = ListFilter::new(List::Named(ResourceType::Datasource), grants.clone(), &Limits::default());
        let passed = String::from_utf8(filter.feed(list.as_bytes()).expect("a list")).expect("UTF-8");
        kept += expected.len();
        assert_eq!(passed, Json::Array(expected).render(), "{patterns:?} on {list}");
    }
    assert!(kept > 100, "{kept}");
}

#[test]
fn of_queries_the_callers_own_are_listed_without_whose_druid_thinks_they_are() {
    let ids = QueryIds::new(&[7; 32], &[]);
    let who = |subject: &str| Identity::for_tests("dev", subject, &[]);
    let id = |owner: &str| ids.mint(&who(owner), Some("q"), &[]).as_str().to_owned();
    let (own, others) = (id("alice"), id("bob"));
    let listed = |own: Option<OwnIds>, list: &str| {
        let mut filter = ListFilter::new(List::Queries, Grants::default(), &Limits::default()).telling_own(own);
        let mut out = filter.feed(list.as_bytes())?;
        out.extend(filter.finish()?);
        Ok(String::from_utf8(out).expect("UTF-8"))
    };
    let list = format!(
        r#"{{"queries":[{{"sqlQueryId":"{others}","sql":"x"}},{{"sqlQueryId":"{own}","identity":"gate","authenticator":"b","sql":"y"}},
            {{"sqlQueryId":null}},{{"dartQueryId":"{own}"}},{{"sqlQueryId":"query-{own}"}}]}}"#
    );
    let seen = format!(r#"{{"queries":[{{"sqlQueryId":"{own}","sql":"y"}}]}}"#);
    assert_eq!(listed(Some(ids.of(&who("alice"))), &list), Ok(seen));
    assert_eq!(listed(Some(ids.of(&who("carol"))), &list), Ok(r#"{"queries":[]}"#.to_owned()));
    // Without knowing whose they are none is.
    assert_eq!(listed(None, &list), Ok(r#"{"queries":[]}"#.to_owned()));
    for other in [r#"{"queries":{}}"#, r#"{"others":[]}"#, r#"{"queries":["x"]}"#, r#"[{"sqlQueryId":"x"}]"#] {
        assert_eq!(listed(None, other), Err(ListFault::NotAList), "{other}");
    }
}
