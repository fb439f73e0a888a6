use super::*;
use crate::auth::Identity;
use crate::policy::Policy;

fn filter(list: List) -> ListFilter {
    let policy = r#"
        [roles.r]
        permissions = ["READ DATASOURCE wiki*", "WRITE DATASOURCE taxi"]
        [[bindings]]
        issuer = "dev"
        subject = "a"
        roles = ["r"]
    "#;
    let policy = Policy::parse(policy, &["dev".to_owned()]).expect("policy");
    ListFilter::new(list, policy.grants_of(&Identity::for_tests("dev", "a", &[])), &Limits::default())
}

/// The list in pieces of every size: the same each time.
fn filtered(list: &str) -> Result<String, ListFault> {
    filtered_as(List::Tasks, list)
}

fn filtered_as(kind: List, list: &str) -> Result<String, ListFault> {
    let mut answers = (1..=list.len().max(1)).map(|size| {
        let mut filter = filter(kind);
        let mut out = Vec::new();
        for piece in list.as_bytes().chunks(size) {
            out.extend(filter.feed(piece)?);
        }
        filter.finish()?;
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
    let mut filter = filter(List::Tasks);
    assert_eq!(filter.feed(br#"[{"dataSource":"wiki"},"#), Ok(br#"[{"dataSource":"wiki"}"#.to_vec()));
    assert_eq!(filter.feed(br#"7,{"dataSource":"wiki"}]"#), Err(ListFault::NotAList));
}

#[test]
fn an_item_is_bounded() {
    let (mut filter, bound) = (filter(List::Tasks), Limits::default().list_item_bytes);
    let long = format!(r#"[{{"dataSource":"wiki","errorMsg":"{}"#, "x".repeat(bound));
    assert_eq!(filter.feed(long.as_bytes()), Err(ListFault::ItemTooLong(bound)));
}

/// Items that nobody may see count too: they are read.
#[test]
fn a_list_is_bounded() {
    let mut filter = ListFilter { max_all: 100, ..filter(List::Tasks) };
    let item = r#"{"dataSource":"taxi"}"#;
    assert_eq!(filter.feed(format!("[{item},{item},{item}").as_bytes()), Ok(b"[".to_vec()));
    assert_eq!(filter.feed(format!(",{item},{item}").as_bytes()), Err(ListFault::TooLong(100)));
}

#[test]
fn lists_of_names_and_of_named_objects_are_filtered_too() {
    let names = |list: &str| filtered_as(List::Datasources, list);
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
