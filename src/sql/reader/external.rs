//! EXTERN, HTTP, INLINE, LOCALFILES: their arguments, as far as they say what is read.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::function::Argument;
use super::{Read, Reader};
use crate::json::Json;
use crate::sql::external::Objection;
use crate::sql::refusal::{Fault, RefusalCode};
use crate::sql::token::Kind;

/// The most arguments of HTTP or LOCALFILES: Druid knows a dozen.
const MAX_ARGUMENTS: usize = 32;

/// An argument of HTTP or LOCALFILES.
struct Named<'a> {
    name: Cow<'a, str>,
    /// A string, an array of strings, or null for any other literal.
    value: Json,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Druid: `DruidExternTableMacro`; the JSON of the first argument, or of the one that is named inputSource, says
    /// what is read, and that of inputFormat may say where its schema is.
    pub(super) fn extern_call(&mut self) -> Read<()> {
        let at = self.offset();
        let arguments = self.literal_arguments()?;
        let source = argument(&arguments, 0, "inputSource");
        let Some(source) = source.filter(|_| is_plain(&arguments)) else {
            let message = "EXTERN's input source cannot be told; write its three arguments in order, or name each once, inputSource among them";
            return Err(Fault::new(RefusalCode::TableFunctionArgument, at, message));
        };
        let sources = self.rules.input_source(&source.value).map_err(|objection| objected(objection, source.at))?;
        self.add(sources);
        if let Some(format) = argument(&arguments, 1, "inputFormat") {
            self.rules.input_format(&format.value).map_err(|objection| objected(objection, format.at))?;
        }
        Ok(())
    }

    /// Druid: `HttpInputSourceDefn`.
    pub(super) fn http_call(&mut self) -> Read<()> {
        let arguments = self.named_arguments()?;
        let uris = arguments.iter().find(|argument| argument.name.eq_ignore_ascii_case("uris"));
        let members = uris.map(|uris| ("uris".to_owned(), uris.value.clone()));
        self.input_source_function("http", members, uris.map(|uris| uris.at))
    }

    /// Druid: `LocalInputSourceDefn`: beside a folder, the files are in it.
    pub(super) fn local_files_call(&mut self) -> Read<()> {
        let arguments = self.named_arguments()?;
        let find = |name: &str| arguments.iter().find(|argument| argument.name.eq_ignore_ascii_case(name));
        let (folder, files) = (find("baseDir"), find("files"));
        let folder_path = folder.and_then(|folder| folder.value.as_str()).filter(|path| !path.is_empty());
        let members = match (folder_path, files.map(|files| &files.value)) {
            (Some(folder), Some(Json::Array(files))) => {
                let within = |file: &Json| Json::string(format!("{folder}/{}", file.as_str().unwrap_or_default()));
                Some(("files".to_owned(), Json::Array(files.iter().map(within).collect())))
            }
            (_, Some(files)) => Some(("files".to_owned(), files.clone())),
            (_, None) => folder.map(|folder| ("baseDir".to_owned(), folder.value.clone())),
        };
        self.input_source_function("local", members, files.or(folder).map(|argument| argument.at))
    }

    /// Druid: `InlineInputSourceDefn`.
    pub(super) fn inline_call(&mut self) -> Read<()> {
        self.expect_group()?;
        self.input_source_function("inline", None, None)
    }

    fn input_source_function(&mut self, named: &str, member: Option<(String, Json)>, at: Option<usize>) -> Read<()> {
        let mut members = vec![("type".to_owned(), Json::string(named))];
        members.extend(member);
        let sources = self.rules.parsed_source(&Json::Object(members));
        let at = at.unwrap_or_else(|| self.offset());
        self.add(sources.map_err(|objection| objected(objection, at))?);
        Ok(())
    }

    fn named_arguments(&mut self) -> Read<Vec<Named<'a>>> {
        let mut arguments: Vec<Named<'a>> = Vec::new();
        self.expect(Kind::LeftParen, "(")?;
        loop {
            let start = self.offset();
            let Some(name) = self.argument_name()? else {
                let message = "an argument of this table function has no name; write each with its own, such as uris => ARRAY['https://..']";
                return Err(self.fault(RefusalCode::TableFunctionArgument, message));
            };
            let twice = arguments.iter().any(|argument| argument.name.eq_ignore_ascii_case(&name));
            if twice || arguments.len() == MAX_ARGUMENTS {
                let message = "an argument stands twice, or there are more than Druid has; write each once";
                return Err(Fault::new(RefusalCode::TableFunctionArgument, start, message));
            }
            let at = self.offset();
            arguments.push(Named { name, value: self.argument_value()?, at });
            if self.take(Kind::RightParen) {
                return Ok(arguments);
            }
            if !self.take(Kind::Comma) {
                return Err(self.not_a_literal());
            }
        }
    }

    fn argument_value(&mut self) -> Read<Json> {
        let is_word = |reader: &Self, word: &str| reader.image().eq_ignore_ascii_case(word);
        match self.kind() {
            Kind::Number | Kind::Null => self.advance(),
            Kind::Reserved if is_word(self, "TRUE") || is_word(self, "FALSE") => self.advance(),
            Kind::Reserved if is_word(self, "ARRAY") && self.peek(1) == Kind::LeftBracket => {
                self.advance();
                self.advance();
                return self.array().map(Json::Array);
            }
            _ => return self.literal_argument().map(Json::string),
        }
        Ok(Json::Null)
    }

    /// After `ARRAY[`.
    fn array(&mut self) -> Read<Vec<Json>> {
        let mut items = Vec::new();
        loop {
            items.push(Json::string(self.literal_argument()?));
            if self.take(Kind::RightBracket) {
                return Ok(items);
            }
            if !self.take(Kind::Comma) {
                return Err(self.not_a_literal());
            }
        }
    }
}

/// At most EXTERN's three arguments, in order or all of them named, none twice.
fn is_plain(arguments: &[Argument<'_>]) -> bool {
    let names: BTreeSet<_> = arguments.iter().filter_map(|a| a.name.as_deref().map(str::to_ascii_lowercase)).collect();
    let named = arguments.iter().filter(|argument| argument.name.is_some()).count();
    arguments.len() <= 3 && names.len() == named && (named == 0 || named == arguments.len())
}

/// The argument of this name; without names, the one at this place.
fn argument<'r, 'a>(arguments: &'r [Argument<'a>], place: usize, name: &str) -> Option<&'r Argument<'a>> {
    if arguments.first()?.name.is_none() {
        return arguments.get(place);
    }
    arguments.iter().find(|argument| argument.name.as_deref().is_some_and(|found| found.eq_ignore_ascii_case(name)))
}

fn objected(objection: Objection, at: usize) -> Box<Fault> {
    Fault::new(objection.code, at, objection.message)
}
