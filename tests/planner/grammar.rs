//! Statements made up by a grammar, so that Druid runs most of them.
//!
//! Every relation has a column `c1`, so a reference needs no knowledge of what it refers to; names of tables, of WITH
//! items and of aliases are drawn from one small pool, so that they hide one another in every way.

use super::random::Random;

/// Levels of queries within queries.
const DEPTH: usize = 3;
/// Past so many tokens a query has no more queries in it: what nests further is seen in other statements, and sooner.
const TOKENS: usize = 80;

const NAMES: [&str; 12] = ["wiki", "taxi", "a", "b", "secret", "Secret", "FOO", "foo", "pub", "druid", "sys", "APPEND"];
/// Names that have to be quoted.
const ODD_NAMES: [&str; 6] = ["druid.secret", "a b", "a\"\"b", "SELECT", "день", "-- x"];
const EXTERN: &str = r#"'{"type":"inline","data":"a\n1"}' , '{"type":"csv","findColumnsFromHeader":true}'"#;

/// One statement.
pub fn statement(random: &mut Random) -> String {
    made(&NAMES, &ODD_NAMES, random)
}

/// One whose tables are among these.
pub fn statement_over(names: &'static [&'static str], random: &mut Random) -> String {
    made(names, &[], random)
}

fn made(names: &'static [&'static str], odd: &'static [&'static str], random: &mut Random) -> String {
    let mut maker = Maker { names, odd, random, tokens: Vec::new(), size: 0, made: 0, named: false, bare: false };
    maker.statement();
    let tokens = std::mem::take(&mut maker.tokens);
    write(&tokens, maker.random)
}

struct Maker<'a> {
    names: &'static [&'static str],
    odd: &'static [&'static str],
    random: &'a mut Random,
    tokens: Vec<String>,
    /// How many tokens were made, those put aside too.
    size: usize,
    /// Numbers the aliases.
    made: usize,
    /// The next operand has to give its first column the name c1.
    named: bool,
    /// The last operand was TABLE t.
    bare: bool,
}

impl Maker<'_> {
    /// Adds words, separated by spaces.
    fn say(&mut self, words: &str) {
        words.split(' ').for_each(|word| self.token(word));
    }

    /// Says one of several.
    fn say_one(&mut self, phrases: &[&str]) {
        let words = self.random.pick(phrases).to_owned();
        self.say(&words);
    }

    /// Adds one token that may hold spaces.
    fn token(&mut self, token: impl Into<String>) {
        self.size += 1;
        self.tokens.push(token.into());
    }

    fn alias(&mut self) -> String {
        self.made += 1;
        // Some aliases are names of tables: an alias hides none.
        let word = if self.random.chance(10) { self.random.pick(self.names) } else { "t" };
        format!("{word}{}", self.made)
    }

    fn statement(&mut self) {
        match self.random.below(20) {
            0 | 1 => {
                self.say("EXPLAIN PLAN");
                let attributes = ["", "EXCLUDING ATTRIBUTES", "INCLUDING ALL ATTRIBUTES", "WITH TYPE", "AS JSON"];
                match self.random.pick(&attributes) {
                    "" => {}
                    words => self.say(words),
                }
                self.say("FOR");
                if self.random.chance(30) { self.ingestion() } else { self.query(DEPTH, 2, true) }
            }
            2..=6 => self.ingestion(),
            7 => {
                let arity = 1 + self.random.below(2);
                self.query(DEPTH, arity, true);
            }
            _ => {
                let arity = 1 + self.random.below(3);
                self.query(DEPTH, arity, true);
            }
        }
    }

    fn ingestion(&mut self) {
        let replace = self.random.chance(50);
        self.say(if replace { "REPLACE INTO" } else { "INSERT INTO" });
        if self.random.chance(30) {
            self.say("druid .");
        }
        self.name();
        let bounded = replace && self.random.chance(30);
        if replace {
            match bounded {
                true => {
                    self.say("OVERWRITE WHERE __time >= TIMESTAMP");
                    self.token("'2020-01-01 00:00:00'");
                    self.say("AND __time < TIMESTAMP");
                    self.token("'2020-02-01 00:00:00'");
                }
                false => self.say("OVERWRITE ALL"),
            }
        }
        // An interval of whole months allows no other grain than these.
        let grain = if bounded { 3 * self.random.below(2) } else { self.random.below(5) };
        self.named = true;
        self.body(DEPTH, 2, false);
        self.say("PARTITIONED BY");
        match grain {
            0 => self.say("DAY"),
            1 => self.say("ALL"),
            2 => self.say("ALL TIME"),
            3 => self.say("FLOOR ( __time TO MONTH )"),
            _ => {
                self.say("TIME_FLOOR ( __time ,");
                self.token("'PT1H'");
                self.say(")");
            }
        }
        if self.random.chance(40) {
            self.say("CLUSTERED BY c1");
            if self.random.chance(30) {
                self.say(", c2");
            }
            if self.random.chance(10) {
                self.say(", c1 + (");
                self.query(1, 1, false);
                self.say(")");
            }
        }
    }

    /// A query with `arity` columns, the first of which is named c1.
    fn query(&mut self, depth: usize, arity: usize, top: bool) {
        let depth = if self.size > TOKENS { 0 } else { depth };
        let named = self.named;
        if self.random.chance(if top { 35 } else { 15 }) {
            self.with(depth);
        }
        self.named = named;
        self.body(depth, arity, true);
    }

    fn with(&mut self, depth: usize) {
        self.say("WITH");
        let items = 1 + self.random.below(3);
        for item in 0..items {
            if item > 0 {
                self.say(",");
            }
            let name = self.random.pick(self.names).to_owned();
            self.spell(&name);
            let arity = 1 + self.random.below(2);
            let listed = self.random.chance(40);
            if listed {
                self.say(if arity == 1 { "( c1 )" } else { "( c1 , c2 )" });
            }
            self.say("AS (");
            let inner = depth.saturating_sub(1);
            self.named = !listed;
            self.query(inner, arity, false);
            self.say(")");
        }
    }

    fn body(&mut self, depth: usize, arity: usize, ordered: bool) {
        let operands = if depth == 0 || !self.random.chance(25) { 1 } else { 2 + self.random.below(2) };
        for operand in 0..operands {
            if operand > 0 {
                let rare = self.random.chance(10);
                // Druid parses the rare ones and does not run them.
                self.say_one(if rare {
                    &["INTERSECT", "EXCEPT ALL"]
                } else {
                    &["UNION ALL", "UNION", "UNION DISTINCT"]
                });
            }
            self.operand(depth, arity);
        }
        // Over TABLE t alone Druid parses it and does not run it.
        let table = self.bare && !self.random.chance(5);
        if ordered && !table && self.random.chance(25) {
            self.say("ORDER BY");
            match self.random.below(4) {
                0 if depth > 0 => {
                    self.say("(");
                    self.query(depth - 1, 1, false);
                    self.say(")");
                }
                // 27 does not run NULLS LAST.
                1 if self.random.chance(8) => self.say("1 DESC NULLS LAST"),
                1 => self.say("1 DESC"),
                _ => self.say("1"),
            }
        }
        if ordered && !table && self.random.chance(25) {
            let words = ["LIMIT 10", "LIMIT 10 OFFSET 2", "OFFSET 3 ROWS", "FETCH NEXT 3 ROWS ONLY", "LIMIT ALL"];
            self.say_one(&words);
        }
    }

    fn operand(&mut self, depth: usize, arity: usize) {
        self.bare = false;
        let choice = if std::mem::take(&mut self.named) { 11 } else { self.random.below(12) };
        match choice {
            0 if depth > 0 => {
                self.say("(");
                self.query(depth - 1, arity, false);
                self.say(")");
            }
            1 if arity == 1 => {
                self.say("TABLE");
                self.table();
                self.bare = true;
            }
            2 => {
                self.say("VALUES (");
                for column in 0..arity {
                    if column > 0 {
                        self.say(",");
                    }
                    if depth > 0 && self.random.chance(20) {
                        self.say("(");
                        self.query(depth - 1, 1, false);
                        self.say(")");
                    } else {
                        self.say("1");
                    }
                }
                self.say(")");
            }
            _ => self.select(depth, arity),
        }
    }

    fn select(&mut self, depth: usize, arity: usize) {
        self.say("SELECT");
        if self.random.chance(3) {
            self.token("/*+ h(a) */");
        }
        if self.random.chance(10) {
            self.say_one(&["DISTINCT", "ALL"]);
        }
        // The relations are made first: the select list names them.
        let list = self.tokens.len();
        let (aliases, from) = self.from(depth);
        let grouped = self.random.chance(20);
        let column = |maker: &mut Self| format!("{}.c1", aliases[maker.random.below(aliases.len())]);
        let first = column(self);
        self.tokens.truncate(list);
        self.dotted(&first);
        if self.random.chance(70) {
            self.say("AS");
        }
        self.say("c1");
        for place in 2..=arity {
            self.say(",");
            if grouped {
                match self.random.below(3) {
                    0 => self.say("COUNT ( * )"),
                    1 => {
                        self.say("SUM (");
                        let of = column(self);
                        self.dotted(&of);
                        self.say(") FILTER ( WHERE");
                        self.condition(depth.min(1), &of);
                        self.say(")");
                    }
                    _ => {
                        self.say("MAX (");
                        let of = column(self);
                        self.dotted(&of);
                        self.say(")");
                    }
                }
            } else {
                let of = column(self);
                self.expression(depth, &of);
            }
            self.say("AS");
            self.say(&format!("c{place}"));
        }
        self.say("FROM");
        self.tokens.extend(from);
        if self.random.chance(40) {
            self.say("WHERE");
            let of = column(self);
            self.condition(depth, &of);
        }
        if grouped {
            self.say("GROUP BY");
            match self.random.below(4) {
                0 => self.say("1"),
                1 => {
                    self.say("GROUPING SETS ( (");
                    self.dotted(&first);
                    self.say(") , ( ) )");
                }
                _ => self.dotted(&first),
            }
            if self.random.chance(30) {
                self.say("HAVING COUNT ( * ) >");
                if depth > 0 && self.random.chance(40) {
                    self.say("(");
                    self.query(depth - 1, 1, false);
                    self.say(")");
                } else {
                    self.say("3");
                }
            }
        }
    }

    /// Relations: their aliases, and their tokens, which the caller puts where they belong.
    fn from(&mut self, depth: usize) -> (Vec<String>, Vec<String>) {
        let outer = std::mem::take(&mut self.tokens);
        let count = 1 + if self.random.chance(35) { 1 + self.random.below(2) } else { 0 };
        let mut aliases: Vec<String> = Vec::new();
        for relation in 0..count {
            let joined = if relation == 0 { 0 } else { 1 + self.random.below(3) };
            match joined {
                0 => {}
                1 => self.say(","),
                2 => self.say("CROSS JOIN"),
                _ => {
                    let words = ["JOIN", "INNER JOIN", "LEFT JOIN", "RIGHT OUTER JOIN", "FULL JOIN"];
                    self.say_one(&words);
                }
            }
            let alias = self.relation(depth, aliases.first());
            if joined == 3 {
                self.say("ON");
                self.dotted(&format!("{}.c1", aliases[0]));
                self.say("=");
                self.dotted(&format!("{alias}.c1"));
                if depth > 0 && self.random.chance(15) {
                    self.say("AND");
                    self.dotted(&format!("{alias}.c1"));
                    self.say("IN (");
                    self.query(depth - 1, 1, false);
                    self.say(")");
                }
            }
            aliases.push(alias);
        }
        (aliases, std::mem::replace(&mut self.tokens, outer))
    }

    /// One relation with an alias, under which its columns are found.
    fn relation(&mut self, depth: usize, before: Option<&String>) -> String {
        let alias = self.alias();
        let mut columns = false;
        match self.random.below(20) {
            0..=4 if depth > 0 => {
                self.say("(");
                let arity = 1 + self.random.below(2);
                columns = arity == 1 && self.random.chance(50);
                self.named = !columns;
                self.query(depth - 1, arity, false);
                self.say(")");
            }
            5 => {
                self.say("( VALUES ( 1 ) , ( 2 ) )");
                columns = true;
            }
            6 => {
                self.say("TABLE ( EXTERN (");
                self.token(EXTERN);
                self.say(",");
                self.token(r#"'[{"name":"c1","type":"string"},{"name":"c2","type":"long"}]'"#);
                self.say(") )");
            }
            7 => {
                self.say("TABLE ( extern (");
                self.token(EXTERN);
                self.say(") )");
                if self.random.chance(70) {
                    self.say("EXTEND");
                }
                self.say("( c1 VARCHAR , c2 BIGINT )");
            }
            // 27 has none.
            8 if self.random.chance(25) => {
                self.say("TABLE ( APPEND (");
                for place in 0..1 + self.random.below(3) {
                    if place > 0 {
                        self.say(",");
                    }
                    let name = self.random.pick(self.names).to_owned();
                    let spelling = match self.random.below(3) {
                        0 => format!("U&'\\{:04x}{}'", u32::from(name.chars().next().unwrap()), &name[1..]),
                        1 => format!("_utf8'{name}'"),
                        _ => format!("'{name}'"),
                    };
                    self.token(spelling);
                }
                self.say(") )");
                columns = self.random.chance(50);
                if columns {
                    // As many as the datasources' own.
                    self.say("AS");
                    self.token(alias.clone());
                    self.say("( t0 , c1 , c2 , c3 , c4 , c5 )");
                    return alias;
                }
            }
            9 if before.is_some() => {
                self.say("UNNEST ( ARRAY [");
                if depth > 0 && self.random.chance(30) {
                    self.say("(");
                    self.query(depth - 1, 1, false);
                    self.say(")");
                } else {
                    self.say("1 , 2");
                }
                self.say("] )");
                columns = true;
            }
            10 if depth > 0 => {
                self.say("( TABLE");
                self.table();
                self.say(")");
            }
            11 | 12 => {
                let tables = ["sys . segments", "INFORMATION_SCHEMA . TABLES", "view . v", "lookup . l", "sys . tasks"];
                self.say_one(&tables);
            }
            _ => self.table(),
        }
        if self.random.chance(60) {
            self.say("AS");
        }
        self.token(alias.clone());
        if columns {
            self.say("( c1 )");
        }
        alias
    }

    fn table(&mut self) {
        if self.random.chance(25) {
            self.say("druid .");
        }
        self.name();
    }

    fn name(&mut self) {
        if !self.odd.is_empty() && self.random.chance(6) {
            let name = self.random.pick(self.odd).to_owned();
            self.token(format!("\"{name}\""));
        } else {
            let name = self.random.pick(self.names).to_owned();
            self.spell(&name);
        }
    }

    /// A plain name in one of its spellings.
    fn spell(&mut self, name: &str) {
        match self.random.below(12) {
            0 | 1 => self.token(format!("\"{name}\"")),
            2 => self.token(format!("U&\"\\{:04x}{}\"", u32::from(name.chars().next().unwrap()), &name[1..])),
            3 => {
                self.token(format!("u&\"!{:04X}{}\" UESCAPE '!'", u32::from(name.chars().next().unwrap()), &name[1..]))
            }
            _ => self.token(name),
        }
    }

    fn dotted(&mut self, name: &str) {
        let (relation, column) = name.split_once('.').unwrap();
        self.token(relation);
        self.say(".");
        self.token(column);
    }

    fn condition(&mut self, depth: usize, of: &str) {
        let choice = if depth == 0 { self.random.below(5) } else { self.random.below(14) };
        match choice {
            0 => {
                self.dotted(of);
                self.say("> 5");
            }
            1 => {
                self.dotted(of);
                self.say("IN ( 1 , 2 )");
            }
            2 => {
                self.dotted(of);
                self.say("BETWEEN 1 AND 4 AND");
                self.dotted(of);
                self.say("IS NOT NULL");
            }
            3 => {
                self.say("NOT (");
                self.condition(depth.saturating_sub(1), of);
                self.say(") OR FALSE");
            }
            4 => {
                self.say("CAST (");
                self.dotted(of);
                self.say("AS VARCHAR ) LIKE");
                self.text();
            }
            // Druid parses EXISTS and does not run it.
            5 if self.random.chance(15) => {
                self.say_one(&["EXISTS (", "NOT EXISTS ("]);
                self.query(depth - 1, 1, false);
                self.say(")");
            }
            7 | 8 => {
                self.dotted(of);
                self.say_one(&["IN (", "NOT IN ("]);
                self.query(depth - 1, 1, false);
                self.say(")");
            }
            9 => {
                self.dotted(of);
                self.say_one(&["> ALL (", "= SOME (", "< ANY ("]);
                self.query(depth - 1, 1, false);
                self.say(")");
            }
            10 => {
                self.dotted(of);
                self.say("IN (");
                self.table();
                self.say("LIMIT 5 )");
            }
            11 | 12 => {
                self.dotted(of);
                self.say("= (");
                if self.random.chance(50) {
                    self.say("TABLE");
                    self.table();
                } else {
                    self.table();
                    self.say_one(&["LIMIT 1", "OFFSET 1", "FETCH FIRST 1 ROW ONLY"]);
                }
                self.say(")");
            }
            5 | 6 => self.condition(depth - 1, of),
            _ => {
                self.condition(depth - 1, of);
                self.say_one(&["AND", "OR"]);
                self.condition(depth - 1, of);
            }
        }
    }

    fn expression(&mut self, depth: usize, of: &str) {
        let choice = if depth == 0 { self.random.below(6) } else { self.random.below(15) };
        match choice {
            0 => self.literal(),
            1 => {
                self.dotted(of);
                self.say("+ 1.");
            }
            2 => {
                self.say("CASE WHEN");
                self.condition(depth.saturating_sub(1), of);
                self.say("THEN 1 ELSE 2 END");
            }
            3 => {
                self.say("COALESCE (");
                self.dotted(of);
                self.say(", .5 )");
            }
            4 => {
                self.say("COUNT ( * ) OVER ( PARTITION BY");
                self.dotted(of);
                if depth > 0 && self.random.chance(20) {
                    self.say("ORDER BY (");
                    self.query(depth - 1, 1, false);
                    self.say(")");
                }
                self.say(")");
            }
            5 => {
                self.say("TIMESTAMP");
                self.token("'2020-01-01 00:00:00'");
            }
            6..=8 => {
                self.say("(");
                self.query(depth - 1, 1, false);
                self.say(")");
            }
            9 => {
                self.say("(");
                self.table();
                self.say("LIMIT 1 )");
            }
            10 => {
                self.say("ARRAY [ 1 , (");
                self.query(depth - 1, 1, false);
                self.say(") ]");
            }
            11 => {
                self.say("CAST ( (");
                self.table();
                self.say("LIMIT 1 ) AS VARCHAR )");
            }
            12 => {
                self.say("COALESCE ( (");
                self.query(depth - 1, 1, false);
                self.say(") ,");
                self.dotted(of);
                self.say(")");
            }
            13 => {
                self.say("( TABLE");
                self.table();
                self.say(")");
            }
            _ => {
                self.say("ARRAY (");
                self.select(depth - 1, 1);
                self.say(")");
            }
        }
    }

    fn literal(&mut self) {
        if self.random.chance(70) {
            self.text();
        } else {
            self.say_one(&["X'41'", "1e3", "7", "TRUE", "1.5"]);
        }
    }

    fn text(&mut self) {
        let literals = [
            "'it''s'",
            "'-- no comment, secret'",
            "'/* secret '",
            "'FROM secret'",
            "'\\'",
            "'\"'",
            "N'n'",
            "_utf8'u'",
            "U&'\\0041'",
            "'('",
            "'line\nline'",
        ];
        let literal = self.random.pick(&literals).to_owned();
        self.token(literal);
    }
}

/// Puts tokens together, with what may stand between them.
fn write(tokens: &[String], random: &mut Random) -> String {
    let noisy = random.chance(30);
    let mut text = String::new();
    for token in tokens {
        let last = text.chars().last();
        let first = token.chars().next();
        let tight = |character: Option<char>| character.is_some_and(|character| "(),.".contains(character));
        if noisy && random.chance(15) {
            text.push_str(&noise(random));
        } else if !(last.is_none() || (tight(last) || tight(first)) && random.chance(70) && !numeric(last, first)) {
            text.push(' ');
        }
        text.push_str(&cased(token, random));
    }
    text
}

/// A digit beside a point would be one number.
fn numeric(last: Option<char>, first: Option<char>) -> bool {
    let digit = |character: Option<char>| character.is_some_and(|character| character.is_ascii_digit());
    digit(last) || digit(first) || last == Some('.') && first == Some('.')
}

/// Keywords in any case: names are all among the pool, and keep theirs.
fn cased(token: &str, random: &mut Random) -> String {
    let keyword = token.len() > 1 && token.chars().all(|character| character.is_ascii_uppercase());
    if keyword && !NAMES.contains(&token) && random.chance(10) { token.to_lowercase() } else { token.to_owned() }
}

fn noise(random: &mut Random) -> String {
    let kinds = [
        " /**/ ",
        " /* , secret */ ",
        " /***/ , secret */ ",
        " /* /* */ ",
        " -- , secret\n",
        " // FROM secret\r",
        " --'\n",
        " /* ' */ ",
        " --/*\n",
        "\t",
        "\r\n",
        "\x0c",
        " /* \" */ ",
        " /*/ , secret */ ",
        " /****/ ",
        " --\r",
    ];
    random.pick(&kinds).to_owned()
}
