//! Each kind of place that an input source names, judged: listed where there is a list, and no inner address otherwise.

use std::fmt;

use super::destination::{Destinations, Place, Reach};
use super::host::Host;
use super::uri::{self, HadoopPath, Uri};
use super::{ExternalRules, Judged, Objection};
use crate::sql::refusal::RefusalCode;

/// Where in the JSON of an input source something stands: the key and, in an array, which item, from 1.
#[derive(Clone, Copy)]
pub(super) struct Spot(pub &'static str, pub Option<usize>);

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            None => write!(f, "[{}]", self.0),
            Some(item) => write!(f, "item {item} of [{}]", self.0),
        }
    }
}

impl Spot {
    pub(super) fn odd(self, what: &str) -> Objection {
        let message = format!(
            "EXTERN names in {self} a place that the gate does not understand ({what}); write each place in its plainest spelling, or leave it out"
        );
        Objection::new(RefusalCode::ExternalOddPlace, message)
    }

    fn listed(self, list: &Destinations, place: &Place, reach: Reach) -> Judged {
        if list.allow(place, reach) {
            return Ok(());
        }
        let message = format!(
            "EXTERN may not read what {self} names: it is not among the external_destinations of [sql]; use one that is there, or ask who runs the gate"
        );
        Err(Objection::new(RefusalCode::ExternalNotListed, message))
    }

    fn not_inner(self, host: &Host) -> Judged {
        if !host.is_inner() {
            return Ok(());
        }
        let message = format!(
            "EXTERN may not read what {self} names: a loopback, link-local or metadata address, or a name for one; \
             use another place, or ask who runs the gate to list it in external_destinations of [sql]"
        );
        Err(Objection::new(RefusalCode::ExternalInnerAddress, message))
    }
}

impl ExternalRules {
    /// A URI that Druid fetches. Druid: `HttpEntity.openInputStream`.
    pub(super) fn web(&self, text: &str, reach: Reach, spot: Spot) -> Judged {
        self.web_uri(&Uri::parse(text).map_err(|what| spot.odd(what))?, reach, spot)
    }

    fn web_uri(&self, uri: &Uri<'_>, reach: Reach, spot: Spot) -> Judged {
        let odd = |what| spot.odd(what);
        if !["http", "https"].iter().any(|scheme| scheme.eq_ignore_ascii_case(uri.scheme)) {
            return Err(odd("neither http nor https"));
        }
        match &self.destinations {
            Some(list) => spot.listed(list, &Place::web(uri).map_err(odd)?, reach),
            None => spot.not_inner(&uri::host_and_port(uri.authority).map_err(odd)?.0),
        }
    }

    /// A server that a client of Amazon's asks in place of S3: whatever its paths are, so all of it must be listed.
    pub(super) fn endpoint(&self, text: &str, spot: Spot) -> Judged {
        if !text.contains("://") && self.destinations.is_some() {
            return Err(spot.odd("no https:// or http:// before the host"));
        }
        // What the client puts before a host alone.
        let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let uri = Uri::parse(&text).map_err(|what| spot.odd(what))?;
        self.web_uri(&Uri { path: "", ..uri }, Reach::Tree, spot)
    }

    /// A proxy: all of it must be listed, as `http`.
    pub(super) fn proxy(&self, host: &str, port: &str, spot: Spot) -> Judged {
        Host::parse(host).map_err(|what| spot.odd(what))?;
        self.endpoint(&format!("http://{host}:{port}"), spot)
    }

    /// A URI whose host is a bucket. Druid: `CloudObjectLocation(URI)`.
    pub(super) fn bucket_uri(&self, scheme: &str, text: &str, reach: Reach, spot: Spot) -> Judged {
        let Some(list) = &self.destinations else { return Ok(()) };
        let odd = |what| spot.odd(what);
        let uri = Uri::parse(text).map_err(odd)?;
        if !uri.scheme.eq_ignore_ascii_case(scheme) {
            return Err(odd("the scheme of another type of input source"));
        }
        let path = uri::decode_path(uri.path).map_err(odd)?;
        spot.listed(list, &Place::bucket(scheme, uri.authority, &path).map_err(odd)?, reach)
    }

    /// An object by its bucket and name, in which nothing is encoded. Druid: `CloudObjectLocation(bucket, path)`.
    pub(super) fn object(&self, scheme: &str, bucket: &str, path: &str, spot: Spot) -> Judged {
        let Some(list) = &self.destinations else { return Ok(()) };
        let path = format!("/{}", path.strip_prefix('/').unwrap_or(path));
        let place = Place::bucket(scheme, bucket, &path).map_err(|what| spot.odd(what))?;
        spot.listed(list, &place, Reach::Object)
    }

    /// A file or folder of the machines that read. Links in it may lead elsewhere.
    pub(super) fn local(&self, path: &str, spot: Spot) -> Judged {
        let Some(list) = &self.destinations else { return Ok(()) };
        spot.listed(list, &Place::local(path).map_err(|what| spot.odd(what))?, Reach::Tree)
    }

    /// A file, folder or pattern of HDFS. Druid: `HdfsInputSource`.
    pub(super) fn hdfs(&self, text: &str, spot: Spot) -> Judged {
        let Some(list) = &self.destinations else { return file_system(text, spot) };
        let path = HadoopPath::parse(text).map_err(|what| spot.odd(what))?;
        if path.scheme.is_some_and(|scheme| !scheme.eq_ignore_ascii_case("hdfs")) {
            return Err(spot.odd("a scheme other than hdfs"));
        }
        let place = Place::hdfs(path.authority, path.path).map_err(|what| spot.odd(what))?;
        spot.listed(list, &place, Reach::Tree)
    }

    /// Tables that say themselves which files are read: all of the type, or none.
    pub(super) fn tables(&self, source_type: &'static str) -> Judged {
        match &self.destinations {
            Some(list) => Spot("type", None).listed(list, &Place::all_of(source_type), Reach::Tree),
            None => Ok(()),
        }
    }
}

/// A path of one of Hadoop's file systems, whichever it is.
pub(super) fn file_system(text: &str, spot: Spot) -> Judged {
    let path = HadoopPath::parse(text).map_err(|what| spot.odd(what))?;
    path.authority.map_or(Ok(()), |authority| server(authority, spot))
}

/// The server of a file system or catalog; Azure's have the container before an `@`.
pub(super) fn server(authority: &str, spot: Spot) -> Judged {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._$".contains(&byte);
    let (before, server) = authority.rsplit_once('@').unwrap_or(("", authority));
    if !before.bytes().all(is_plain) {
        return Err(spot.odd("an odd user before the host"));
    }
    spot.not_inner(&uri::host_and_port(server).map_err(|what| spot.odd(what))?.0)
}
