//! Whether a request comes from a page of the gate's own (RFC 6454, section 7; Fetch Metadata).

use http::HeaderMap;
use http::header::ORIGIN;

/// `Origin` decides where there is one; `null`, a second one and an empty one are no origin of ours. Without it, the
/// browser's own word on where the request comes from. Neither: not proved.
pub fn proved(headers: &HeaderMap, own: &str) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => origin.as_bytes() == own.as_bytes(),
        (Some(_), Some(_)) => false,
        (None, _) => {
            let mut sites = headers.get_all("sec-fetch-site").iter();
            matches!((sites.next(), sites.next()), (Some(site), None) if site.as_bytes() == b"same-origin")
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_origin_decides_then_the_site_then_nothing() {
        let own = "https://druid.example:8443";
        for (origins, sites, wanted) in [
            (&[own][..], &[][..], true),
            (&[own], &["same-origin"], true),
            (&[own], &["cross-site"], true),
            (&[], &["same-origin"], true),
            (&[], &[], false),
            (&[], &["same-site"], false),
            (&[], &["cross-site"], false),
            (&[], &["none"], false),
            (&[], &["Same-Origin"], false),
            (&[], &["same-origin", "same-origin"], false),
            (&[""], &["same-origin"], false),
            (&["null"], &["same-origin"], false),
            (&["null"], &[], false),
            (&[own, own], &["same-origin"], false),
            (&[own, "https://evil.example"], &[], false),
            (&["https://evil.example"], &["same-origin"], false),
            (&["https://druid.example"], &["same-origin"], false),
            (&["http://druid.example:8443"], &[], false),
            (&["https://druid.example:8443/"], &[], false),
            (&["https://druid.example:84430"], &[], false),
            (&["https://druid.example:844"], &[], false),
            (&["https://x.druid.example:8443"], &[], false),
            (&["https://DRUID.example:8443"], &[], false),
            (&["https://druid.example:8443 https://evil.example"], &[], false),
        ] {
            let mut headers = HeaderMap::new();
            for origin in origins {
                headers.append(ORIGIN, HeaderValue::from_static(origin));
            }
            for site in sites {
                headers.append("sec-fetch-site", HeaderValue::from_static(site));
            }
            assert_eq!(proved(&headers, own), wanted, "{origins:?} {sites:?}");
        }
    }
}
