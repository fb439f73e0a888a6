//! In which form a SQL request carries its text.
//!
//! Routers of Druid 34 and newer take JSON, plain text and form bodies on every SQL path; older ones read whatever
//! comes as JSON. The gate reads by the newer rule and always sends JSON. Druid: `SqlQuery.from`.

/// The form of a SQL body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlForm {
    /// The `SqlQuery` envelope.
    Json,
    /// The whole body is SQL.
    Text,
    /// The whole body, URL-decoded, is SQL (what `curl -d` sends by default).
    UrlEncoded,
}

/// Why no form is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoForm {
    /// No Content-Type header.
    #[error("Missing Content-Type header; send application/json with {{\"query\": ...}}, or text/plain with the SQL")]
    Missing,
    /// More than one Content-Type header.
    #[error("more than one Content-Type header; send one")]
    Several,
    /// Not one that Druid reads.
    #[error(
        "Unsupported Content-Type; send application/json, text/plain or application/x-www-form-urlencoded, in UTF-8"
    )]
    Unsupported,
    /// One that says protobuf, or a body that is no JSON object, where Avatica's JSON is expected.
    #[error(
        "this is not Avatica's JSON; send application/json, and leave serialization=protobuf out of a driver's URL"
    )]
    NotAvatica,
    /// One that carries SQL, where JSON is expected.
    #[error("Unsupported Content-Type; only application/json is supported here")]
    NotJson,
    /// A form body that holds JSON: almost surely curl without a header.
    #[error("a form body that begins with {{ is not SQL; send JSON with the header Content-Type: application/json")]
    Json,
}

/// Reads the values of the Content-Type headers of a request.
///
/// # Errors
/// [`NoForm`].
pub fn sql_form<'a>(mut headers: impl Iterator<Item = &'a [u8]>) -> Result<SqlForm, NoForm> {
    let value = headers.next().ok_or(NoForm::Missing)?;
    if headers.next().is_some() {
        return Err(NoForm::Several);
    }
    let value = std::str::from_utf8(value).map_err(|_| NoForm::Unsupported)?;
    let mut parts = value.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    // A text in another charset would be read otherwise by Druid, which takes UTF-8 whatever is said here.
    if !parts.filter_map(|part| part.split_once('=')).all(|(name, value)| is_utf8(name, value)) {
        return Err(NoForm::Unsupported);
    }
    match essence.as_str() {
        "application/json" | "application/*" | "*/*" => Ok(SqlForm::Json),
        "text/plain" | "text/*" => Ok(SqlForm::Text),
        "application/x-www-form-urlencoded" => Ok(SqlForm::UrlEncoded),
        _ => Err(NoForm::Unsupported),
    }
}

/// Whether Avatica's JSON may come under these values of the Content-Type headers. Drivers say `application/octet-stream`,
/// or nothing.
///
/// # Errors
/// [`NoForm`].
pub fn avatica_form<'a>(mut headers: impl Iterator<Item = &'a [u8]>) -> Result<SqlForm, NoForm> {
    let Some(value) = headers.next() else { return Ok(SqlForm::Json) };
    if headers.next().is_some() {
        return Err(NoForm::Several);
    }
    let is_bytes = value.eq_ignore_ascii_case(b"application/octet-stream");
    if is_bytes || sql_form(std::iter::once(value)) == Ok(SqlForm::Json) {
        Ok(SqlForm::Json)
    } else {
        Err(NoForm::NotAvatica)
    }
}

fn is_utf8(name: &str, value: &str) -> bool {
    let value = value.trim().trim_matches('"');
    !name.trim().eq_ignore_ascii_case("charset")
        || value.eq_ignore_ascii_case("utf-8")
        || value.eq_ignore_ascii_case("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(values: &[&str]) -> Result<SqlForm, NoForm> {
        sql_form(values.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn forms_are_those_of_newer_routers() {
        for json in
            ["application/json", "application/json; charset=UTF-8", "*/*", "application/*", "APPLICATION/JSON;x=y"]
        {
            assert_eq!(form(&[json]), Ok(SqlForm::Json), "{json}");
        }
        for text in ["text/plain", "TEXT/PLAIN; charset=utf-8", "text/*", "text/plain;charset=\"utf8\""] {
            assert_eq!(form(&[text]), Ok(SqlForm::Text), "{text}");
        }
        assert_eq!(form(&["application/x-www-form-urlencoded"]), Ok(SqlForm::UrlEncoded));
    }

    #[test]
    fn drivers_call_json_bytes() {
        let avatica = |values: &[&str]| avatica_form(values.iter().map(|value| value.as_bytes()));
        for json in [&[][..], &["application/octet-stream"], &["Application/JSON; charset=utf-8"], &["*/*"]] {
            assert_eq!(avatica(json), Ok(SqlForm::Json), "{json:?}");
        }
        for other in ["application/x-google-protobuf", "text/plain", "application/x-www-form-urlencoded", ""] {
            assert_eq!(avatica(&[other]), Err(NoForm::NotAvatica), "{other}");
        }
        assert_eq!(avatica(&["application/json", "application/octet-stream"]), Err(NoForm::Several));
    }

    #[test]
    fn others_are_refused() {
        assert_eq!(form(&[]), Err(NoForm::Missing));
        assert_eq!(form(&["application/json", "text/plain"]), Err(NoForm::Several));
        for odd in [
            "",
            "application/xml",
            "application/json, text/plain",
            "application/x-jackson-smile",
            "text/json",
            "text/plain; charset=utf-16",
            "application/json; charset=utf-32",
            "text /plain",
            "application/vnd.x+json",
        ] {
            assert_eq!(form(&[odd]), Err(NoForm::Unsupported), "{odd}");
        }
    }
}
