//! The JSON of an input format: most read what they are given, but some ask a server for the schema of it.

use super::destination::Reach;
use super::input_source::{only, present, properties, text, texts};
use super::place::Spot;
use super::{ExternalRules, Judged, Objection};
use crate::json::{self, Json};
use crate::sql::refusal::RefusalCode;

impl ExternalRules {
    /// Judges what the format fetches.
    pub(in crate::sql) fn input_format(&self, text: &str) -> Judged {
        let format =
            json::parse_first(text).map_err(|_| Objection::json("an input format as one value with each key once"))?;
        self.format_part(&format)
    }

    /// Formats hold others, such as Kafka's that of its values.
    pub(super) fn format_part(&self, part: &Json) -> Judged {
        match part {
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
            Json::Array(items) => items.iter().try_for_each(|item| self.format_part(item)),
            Json::Object(members) => members.iter().try_for_each(|(key, value)| match key.as_str() {
                "avroBytesDecoder" | "protoBytesDecoder" => self.decoder(value),
                _ => self.format_part(value),
            }),
        }
    }

    /// Druid: `AvroBytesDecoder`, `ProtobufBytesDecoder`. A type that they do not know is one that fetches.
    fn decoder(&self, decoder: &Json) -> Judged {
        match decoder.get("type").and_then(Json::as_str) {
            Some("inline" | "schema_inline" | "multiple_schemas_inline") => Ok(()),
            Some("file") => self.descriptor(decoder),
            Some("schema_registry") => self.registry(decoder),
            Some(_) | None => {
                let message = "EXTERN's input format has a decoder of a type that the gate does not know; use a type of Druid's own";
                Err(Objection::new(RefusalCode::ExternalUnknownType, message))
            }
        }
    }

    /// Druid: `FileBasedProtobufBytesDecoder`: a name on Druid's class path, or else a URL.
    fn descriptor(&self, decoder: &Json) -> Judged {
        only(decoder, &["type", "descriptor", "protoMessageType"])?;
        let Some(descriptor) = present(decoder, "descriptor") else { return Ok(()) };
        let descriptor = text("descriptor", descriptor)?;
        if descriptor.contains(':') {
            return self.web(descriptor, Reach::Object, Spot("descriptor", None));
        }
        Ok(())
    }

    /// Druid: `SchemaRegistryBasedAvroBytesDecoder`, `SchemaRegistryBasedProtobufBytesDecoder`.
    fn registry(&self, decoder: &Json) -> Judged {
        only(decoder, &["type", "url", "urls", "capacity", "config", "headers"])?;
        if let Some(url) = present(decoder, "url") {
            self.registry_url(text("url", url)?, Spot("url", None))?;
        }
        if let Some(urls) = present(decoder, "urls") {
            texts("urls", urls, |text, spot| self.registry_url(text, spot))?;
        }
        match present(decoder, "config") {
            Some(_) if self.destinations.is_some() => {
                Err(Spot("config", None).odd("settings of a client may send it elsewhere"))
            }
            Some(config) => properties(config),
            None => Ok(()),
        }
    }

    fn registry_url(&self, url: &str, spot: Spot) -> Judged {
        // The client takes one with commas for several.
        if url.contains(',') {
            return Err(spot.odd("a comma between URLs"));
        }
        self.web(url, Reach::Tree, spot)
    }
}
