//! The statements that are read.

/// One of so many bytes, as a dashboard makes it: aggregates over one table, where a column is one of many.
pub fn dashboard(bytes: usize) -> String {
    let mut text = String::from(
        "SELECT TIME_FLOOR(w.__time, 'PT1H') AS \"hour\", w.channel, COUNT(*) AS edits, SUM(w.added) AS added, \
         SUM(w.added) FILTER (WHERE w.isRobot = 'true') AS robots FROM wiki AS w WHERE w.__time >= TIMESTAMP \
         '2016-06-27 00:00:00' AND w.__time < TIMESTAMP '2016-06-28 00:00:00' AND w.page IN ('Main_Page'",
    );
    fill(&mut text, ") GROUP BY 1, 2 ORDER BY 4 DESC LIMIT 100", bytes, |number| format!(", 'Page_{number:06}'"))
}

/// One of so many bytes, as a report makes it: queries of everyday SQL, of one WITH item each, put together.
pub fn report(bytes: usize) -> String {
    let mut text = String::from("SELECT 0 AS part, 'none' AS channel, 0 AS n FROM wiki");
    fill(&mut text, " ORDER BY 1", bytes, |number| {
        format!(
            " UNION ALL SELECT {number}, channel, n FROM (WITH busy AS (SELECT channel, COUNT(*) AS n FROM wiki_{} w \
             LEFT JOIN \"pages\" p ON w.page = p.page AND p.kind <> 'user' WHERE w.added > 10 * {number} GROUP BY \
             channel HAVING COUNT(*) > 5) SELECT b.channel, CASE WHEN b.n > 100 THEN 100 ELSE b.n END AS n FROM busy AS b) x",
            number % 10
        )
    })
}

/// Texts of so many bytes that take more for their length than others: what a search over repeated pieces, and pieces of
/// pieces, came back to. Of tables no more than the bound allows are told apart.
pub fn worst(bytes: usize) -> Vec<(&'static str, String)> {
    let made = |start: &str, end: &str, item: &dyn Fn(usize) -> String| fill(&mut start.to_owned(), end, bytes, item);
    vec![
        ("tables", made("SELECT * FROM a,", "b", &|number| format!("${},", number * 7 % 990))),
        ("table", made("SELECT * FROM a,", "a", &|_| "a,".to_owned())),
        (
            "with",
            made("WITH ", "z AS (SELECT 1) SELECT * FROM z", &|number| {
                format!("a{number} AS (TABLE a{}),", number / 2)
            }),
        ),
        ("calls", made("SELECT f(", "1)", &|_| "f(),".to_owned())),
        ("groups", made("SELECT f(", "1)", &|_| "(a),".to_owned())),
        ("numbers", made("SELECT f(", "1)", &|_| "1,".to_owned())),
    ]
}

/// `text` with as many items and then `end` as go into so many bytes.
fn fill(text: &mut String, end: &str, bytes: usize, item: impl Fn(usize) -> String) -> String {
    for number in 0.. {
        let item = item(number);
        if text.len() + item.len() + end.len() > bytes {
            break;
        }
        text.push_str(&item);
    }
    text.push_str(end);
    std::mem::take(text)
}
