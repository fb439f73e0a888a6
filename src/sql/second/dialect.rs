//! What `sqlparser` is told of Druid's SQL.

use std::cell::Cell;

use sqlparser::ast::{DataType, Expr, Ident, ObjectName, TimezoneInfo};
use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::words;

/// Druid's SQL, to be parsed within so many steps.
///
/// `sqlparser` goes back and tries again where it was wrong, which may take a time that doubles with each level; so each
/// expression that it begins is counted, and past the bound no other begins.
#[derive(Debug)]
pub(super) struct DruidDialect {
    /// Which tokens are parentheses around a query, in order.
    pub queries: Vec<usize>,
    pub steps_left: Cell<usize>,
}

impl DruidDialect {
    fn step(&self) -> bool {
        let left = self.steps_left.get();
        self.steps_left.set(left.saturating_sub(1));
        left > 0
    }
}

impl Dialect for DruidDialect {
    // The tokens are the gate's own; these two are asked by the tokenizer only.
    fn is_identifier_start(&self, _: char) -> bool {
        false
    }

    fn is_identifier_part(&self, _: char) -> bool {
        false
    }

    /// Plain columns and literals are most of all expressions; to read them here saves `sqlparser` from trying them as
    /// types first.
    fn parse_prefix(&self, parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        if !self.step() {
            // The one error after which nothing else is tried.
            return Some(Err(ParserError::RecursionLimitExceeded));
        }
        let next = parser.peek_token_ref();
        match &next.token {
            Token::Word(word) if word.quote_style.is_some() => {
                if matches!(parser.peek_nth_token_ref(1).token, Token::LParen | Token::Arrow) {
                    return None;
                }
                let name = Ident { value: word.value.clone(), quote_style: word.quote_style, span: next.span };
                parser.advance_token();
                Some(Ok(Expr::Identifier(name)))
            }
            Token::Number(..) | Token::SingleQuotedString(_) => Some(parser.parse_value().map(Expr::Value)),
            // A query as an argument needs no parentheses: `f(SELECT x FROM t)`.
            Token::Word(word) if matches!(word.keyword, Keyword::SELECT | Keyword::VALUES | Keyword::WITH) => {
                Some(parser.parse_query().map(Expr::Subquery))
            }
            // `sqlparser` would take it for a column.
            Token::Word(word) if words::is_structure(word.keyword) => {
                let called = parser.peek_nth_token_ref(1).token == Token::LParen;
                (!called).then(|| Err(ParserError::ParserError("an expression".to_owned())))
            }
            // `sqlparser` expects no VALUES and no parentheses at the beginning of a query within an expression.
            Token::LParen if self.queries.binary_search(&(parser.get_current_index() + 1)).is_ok() => {
                Some(query_in_parentheses(parser))
            }
            _ => None,
        }
    }

    /// All types are read here, so that none holds an expression: the walk looks into none.
    fn parse_data_type(&self, parser: &mut Parser) -> Option<Result<DataType, ParserError>> {
        Some(data_type(parser))
    }

    fn is_table_factor(&self, keyword: &Keyword, _: &mut Parser) -> bool {
        words::may_name(*keyword) || *keyword == Keyword::UNNEST
    }

    fn is_table_factor_alias(&self, _: bool, keyword: &Keyword, _: &mut Parser) -> bool {
        words::may_name(*keyword)
    }

    fn is_select_item_alias(&self, _: bool, keyword: &Keyword, _: &mut Parser) -> bool {
        words::may_name(*keyword)
    }

    fn supports_boolean_literals(&self) -> bool {
        true
    }

    fn supports_cross_join_constraint(&self) -> bool {
        true
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_lambda_functions(&self) -> bool {
        true
    }

    fn supports_lambda_keyword_syntax(&self) -> bool {
        false
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_match_recognize(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_colon_operator(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_expr_name(&self) -> bool {
        true
    }

    fn supports_parens_around_table_factor(&self) -> bool {
        true
    }

    fn supports_subquery_as_function_arg(&self) -> bool {
        true
    }

    fn supports_table_versioning(&self) -> bool {
        true
    }

    fn supports_window_clause_named_window_reference(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_within_after_array_aggregation(&self) -> bool {
        true
    }
}

fn query_in_parentheses(parser: &mut Parser) -> Result<Expr, ParserError> {
    parser.expect_token(&Token::LParen)?;
    let query = parser.parse_query()?;
    parser.expect_token(&Token::RParen)?;
    Ok(Expr::Subquery(query))
}

/// A type stands after AS; elsewhere only those that begin a literal are asked for: `TIMESTAMP '..'`.
fn data_type(parser: &mut Parser) -> Result<DataType, ParserError> {
    let after_as = matches!(&parser.get_current_token().token, Token::Word(word) if word.keyword == Keyword::AS);
    let none = || ParserError::ParserError(String::new());
    let Token::Word(word) = &parser.peek_token_ref().token else { return Err(none()) };
    let named = match word.keyword {
        Keyword::DATE => DataType::Date,
        Keyword::TIME => DataType::Time(None, TimezoneInfo::None),
        Keyword::TIMESTAMP => DataType::Timestamp(None, TimezoneInfo::None),
        Keyword::INTERVAL => DataType::Interval { fields: None, precision: None },
        _ if after_as => DataType::Custom(ObjectName(Vec::new()), Vec::new()),
        _ => return Err(none()),
    };
    parser.advance_token();
    if after_as {
        // As far as the group reaches in which it stands.
        rest_of_type(parser)?;
    } else if parser.parse_one_of_keywords(&[Keyword::WITH, Keyword::WITHOUT]).is_some() {
        parser.expect_keywords(&[Keyword::TIME, Keyword::ZONE])?;
    }
    Ok(named)
}

/// `(10, 2)`, `PRECISION`, `WITH TIME ZONE` and the like, up to the end of the group around the type.
fn rest_of_type(parser: &mut Parser) -> Result<(), ParserError> {
    let mut depth = 0_usize;
    loop {
        match (&parser.peek_token_ref().token, depth) {
            (Token::RParen | Token::Comma, 0) => return Ok(()),
            (Token::EOF, _) => return Err(ParserError::ParserError("the end of a type".to_owned())),
            (Token::LParen, _) => depth += 1,
            (Token::RParen, _) => depth -= 1,
            (Token::Word(word), _) if word.keyword == Keyword::SELECT => {
                return Err(ParserError::ParserError("a query in a type".to_owned()));
            }
            (_, _) => {}
        }
        parser.advance_token();
    }
}
