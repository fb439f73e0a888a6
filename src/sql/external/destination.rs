//! The allow-list of what EXTERN may read: `[sql] external_destinations`.

use std::collections::BTreeMap;

use super::uri::{self, HadoopPath, Uri};

/// More entries than anybody reads over; a statement may name a hundred thousand places that are compared with each.
pub const MAX_DESTINATIONS: usize = 500;

/// A place where data is: the same form for what is listed and for what a statement names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Scheme and host, with its port; or scheme and bucket; one spelling for each.
    root: String,
    /// From its first slash on, nothing encoded.
    path: String,
}

/// What is read of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// It alone.
    Object,
    /// It, or all that is in it if it is a folder.
    Tree,
    /// All whose names begin like it.
    Prefix,
}

/// What EXTERN may read. Each entry is a place, and all below it:
///
/// - `https://HOST[:PORT]/PATH/` and `http://...`; without a port 443, or 80
/// - `s3://BUCKET/PATH/`, `gs://BUCKET/PATH/`, `azure://CONTAINER/PATH/`, `azureStorage://ACCOUNT/CONTAINER/PATH/`
/// - `hdfs://HOST[:PORT]/PATH/`, and `hdfs:/PATH/` of Druid's own default file system
/// - `local:/PATH/`
/// - `delta:` and `iceberg:` for all sources of that type, whose tables say themselves which files are read
///
/// A path that does not end in a slash stands for that object, and for what is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Destinations {
    /// The paths below each root.
    paths: BTreeMap<String, Vec<String>>,
}

impl Destinations {
    /// Reads the entries; of those that are odd, the index of each and what is wrong with it.
    ///
    /// # Errors
    /// All that are odd.
    pub fn parse<'t>(entries: impl Iterator<Item = &'t str>) -> Result<Self, Vec<(usize, &'static str)>> {
        let (mut list, mut odd) = (Self::default(), Vec::new());
        for (index, entry) in entries.enumerate() {
            match Place::listed(entry) {
                Ok(_) if index >= MAX_DESTINATIONS => odd.push((index, "one more than are taken")),
                Ok(place) => list.paths.entry(place.root).or_default().push(place.path),
                Err(what) => odd.push((index, what)),
            }
        }
        if odd.is_empty() { Ok(list) } else { Err(odd) }
    }

    /// Whether all that is read of `place` is listed.
    pub(super) fn allow(&self, place: &Place, reach: Reach) -> bool {
        let listed = self.paths.get(&place.root);
        listed.is_some_and(|paths| paths.iter().any(|path| holds(path, &place.path, reach)))
    }
}

impl Place {
    /// A web server, or what is asked like one.
    pub(super) fn web(uri: &Uri<'_>) -> Result<Self, &'static str> {
        let scheme = uri.scheme.to_ascii_lowercase();
        let default = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err("neither http nor https"),
        };
        let (host, port) = uri::host_and_port(uri.authority)?;
        let root = format!("{scheme}://{host}:{}", port.unwrap_or(default));
        Self::new(root, or_root(&uri::decode_path(uri.path)?))
    }

    /// An object of a bucket, or all whose names begin so. Druid: `CloudObjectLocation`.
    pub(super) fn bucket(scheme: &str, bucket: &str, path: &str) -> Result<Self, &'static str> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if bucket.is_empty() || !bucket.bytes().all(is_plain) {
            return Err("an odd bucket: letters, digits, `-`, `_` and dots are taken");
        }
        Self::new(format!("{}://{bucket}", scheme.to_ascii_lowercase()), or_root(path))
    }

    /// A file or folder of HDFS, whose paths encode nothing; without an authority, of Druid's default file system.
    pub(super) fn hdfs(authority: Option<&str>, path: &str) -> Result<Self, &'static str> {
        if path.contains(['{', '}', '[', ']', ',']) {
            return Err("a pattern other than `*` and `?`");
        }
        let root = match authority.map(uri::host_and_port).transpose()? {
            // A path that is empty or relative begins where the user of Druid's process is at home.
            None => return Self::new("hdfs:".to_owned(), path),
            Some((host, None)) => format!("hdfs://{host}"),
            Some((host, Some(port))) => format!("hdfs://{host}:{port}"),
        };
        Self::new(root, or_root(path))
    }

    /// A file or folder of Druid's machines.
    pub(super) fn local(path: &str) -> Result<Self, &'static str> {
        Self::new("local:".to_owned(), path)
    }

    /// All sources of a type.
    pub(super) fn all_of(source_type: &str) -> Self {
        Self { root: format!("{source_type}:"), path: "/".to_owned() }
    }

    fn new(root: String, path: &str) -> Result<Self, &'static str> {
        if !path.starts_with('/') {
            return Err("a path that does not begin with a slash");
        }
        // Java trims what Jackson reads as a file or a URI.
        if path.contains('\\') || path.chars().any(char::is_control) || path.ends_with(char::is_whitespace) {
            return Err("a path with a backslash, control characters, or a space at its end");
        }
        // Some servers take what follows a semicolon for no part of the name.
        let is_dots = |segment: &str| matches!(segment.split(';').next(), Some("." | ".."));
        if path.split('/').any(is_dots) {
            return Err("a path with `.` or `..` in it");
        }
        Ok(Self { root, path: path.to_owned() })
    }

    fn listed(entry: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = entry.split_once(':').ok_or("no scheme, such as `https:`")?;
        match scheme {
            "delta" | "iceberg" if rest.is_empty() => Ok(Self::all_of(scheme)),
            "delta" | "iceberg" => Err("more than its type: the tables say which files are read"),
            "local" => Self::local(rest),
            "hdfs" => HadoopPath::parse(entry).and_then(|path| Self::hdfs(path.authority, path.path)),
            _ => Self::listed_uri(entry),
        }
    }

    fn listed_uri(entry: &str) -> Result<Self, &'static str> {
        let uri = Uri::parse(entry)?;
        if entry.contains('?') {
            return Err("a query string: paths alone are compared");
        }
        match uri.scheme {
            "http" | "https" => Self::web(&uri),
            "s3" | "gs" | "azure" | "azureStorage" => {
                Self::bucket(uri.scheme, uri.authority, &uri::decode_path(uri.path)?)
            }
            _ => Err("a scheme that is none of http, https, s3, gs, azure, azureStorage, hdfs, local, delta, iceberg"),
        }
    }
}

/// What a URI stands for that ends with its authority.
fn or_root(path: &str) -> &str {
    if path.is_empty() { "/" } else { path }
}

/// Whether what is read of the path `named` is at `listed` or below it, by whole segments.
fn holds(listed: &str, named: &str, reach: Reach) -> bool {
    let is_below = |path: &str| {
        let rest = path.strip_prefix(listed.strip_suffix('/').unwrap_or(listed));
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    match reach {
        Reach::Object => named == listed || is_below(named),
        // A folder is what it is with or without a slash at its end.
        Reach::Tree => named.trim_end_matches('/') == listed.trim_end_matches('/') || is_below(named),
        // What is listed by a prefix without a slash at its end may have names that go on otherwise.
        Reach::Prefix => is_below(named),
    }
}
