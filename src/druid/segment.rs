//! Ids of segments: `DATASOURCE_START_END_VERSION`, perhaps with `_PARTITION`. Druid: `SegmentId`.

/// Whether the text is the id of a segment, and of no segment of this datasource.
#[must_use]
pub fn is_of_another(text: &str, datasource: &str) -> bool {
    let parts: Vec<&str> = text.split('_').collect();
    let is_one = parts.windows(2).any(are_instants);
    let rest = text.strip_prefix(datasource).and_then(|rest| rest.strip_prefix('_'));
    let of_it = rest.is_some_and(|rest| are_instants(&rest.splitn(3, '_').take(2).collect::<Vec<_>>()));
    is_one && !of_it
}

fn are_instants(parts: &[&str]) -> bool {
    parts.len() == 2 && parts.iter().all(|part| is_instant(part))
}

/// `2016-06-27T00:00:00.000Z`; years may have more digits, and a minus sign.
fn is_instant(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let Some((day, time)) = unsigned.strip_suffix('Z').and_then(|text| text.split_once('T')) else { return false };
    let numbers = |text: &str, between: &[char], count: usize| {
        let parts: Vec<&str> = text.split(between).collect();
        parts.len() == count
            && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    numbers(day, &['-'], 3) && numbers(time, &[':', '.'], 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_of_one_datasource() {
        let of = |datasource: &str| {
            format!("{datasource}_2016-06-27T00:00:00.000Z_2016-06-28T00:00:00.000Z_2020-01-01T00:00:00.000Z_1")
        };
        let always = "wiki_-146136543-09-08T08:23:32.096Z_146140482-04-24T15:36:27.903Z_v_1";
        for (segment, another) in [
            (of("wiki"), false),
            (always.to_owned(), false),
            (of("taxi"), true),
            (of("wiki_inner"), true),
            (of("wikis"), true),
            (of("wik"), true),
            (always.replacen("wiki", "taxi", 1), true),
            (String::new(), false),
            ("nope".to_owned(), false),
            ("taxi_2016-06-27T00:00:00.000Z_x".to_owned(), false),
        ] {
            assert_eq!(is_of_another(&segment, "wiki"), another, "{segment}");
        }
        assert!(is_of_another(&of("a"), "a_b") && !is_of_another(&of("a_b"), "a_b"));
    }
}
