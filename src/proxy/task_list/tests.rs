use super::*;
use crate::auth::Identity;
use crate::policy::Policy;

fn filter() -> ListFilter {
    let policy = r#"
        [roles.r]
        permissions = ["READ DATASOURCE wiki*", "WRITE DATASOURCE taxi"]
        [[bindings]]
        issuer = "dev"
        subject = "a"
        roles = ["r"]
    "#;
    let policy = Policy::parse(policy, &["dev".to_owned()]).expect("policy");
    ListFilter::new(policy.grants_of(&Identity::for_tests("dev", "a", &[])))
}

/// The list in pieces of every size: the same each time.
fn filtered(list: &str) -> Result<String, ListFault> {
    let mut answers = (1..=list.len().max(1)).map(|size| {
        let mut filter = filter();
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
        assert_eq!(filtered(list), Err(ListFault::NotATaskList), "{list}");
    }
    for list in ["", "[", r#"[{"dataSource":"wiki"}"#, r#"[{"dataSource":"wiki"},"#, r#"[{"dataSource":"wi"#] {
        assert_eq!(filtered(list), Err(ListFault::CutOff), "{list}");
    }
}

#[test]
fn nothing_follows_an_unreadable_item() {
    let mut filter = filter();
    assert_eq!(filter.feed(br#"[{"dataSource":"wiki"},"#), Ok(br#"[{"dataSource":"wiki"}"#.to_vec()));
    assert_eq!(filter.feed(br#"7,{"dataSource":"wiki"}]"#), Err(ListFault::NotATaskList));
}

#[test]
fn an_item_is_bounded() {
    let mut filter = filter();
    let long = format!(r#"[{{"dataSource":"wiki","errorMsg":"{}"#, "x".repeat(MAX_ITEM));
    assert_eq!(filter.feed(long.as_bytes()), Err(ListFault::ItemTooLong));
}
