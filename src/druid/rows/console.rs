//! The files of the web console, for anyone who is authenticated. Druid: `WebConsoleJettyServerInitializer`.

use super::get;
use crate::druid::row::{Answer, Row, Rule};

pub static ROWS: &[Row] = &[
    get("console_root", "/", Rule::AnyIdentity).answer(Answer::ConsoleRoot),
    get("console_page", "/unified-console.html", Rule::AnyIdentity),
    get("console_config", "/console-config.js", Rule::AnyIdentity),
    get("console_icon", "/favicon.png", Rule::AnyIdentity),
    get("console_public", "/public/{file*}", Rule::AnyIdentity),
    get("console_assets", "/assets/{file*}", Rule::AnyIdentity),
];
