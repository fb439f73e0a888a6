//! No body is taken without the need for a datasource that it names, wherever that stands and whatever stands around it.

use super::*;

/// Bodies of each kind.
const ROUNDS: usize = 5_000;

/// Keys that stand anywhere: Druid's own, so that one stands where it would be read, and look-alikes.
const KEYS: [&str; 26] = [
    "type",
    "name",
    "left",
    "right",
    "base",
    "query",
    "queries",
    "filter",
    "context",
    "spec",
    "dataSchema",
    "ioConfig",
    "inputSource",
    "inputSpec",
    "delegates",
    "children",
    "segments",
    "ingestionSpec",
    "firehose",
    "tuningConfig",
    "dataSources",
    "datasource",
    "DataSource",
    "baseDataSource",
    "x",
    "rows",
];

const TYPES: [&str; 16] = [
    "table",
    "union",
    "join",
    "query",
    "lookup",
    "inline",
    "unnest",
    "filter",
    "druid",
    "combining",
    "dataSource",
    "multi",
    "static",
    "ingestSegment",
    "kafka",
    "index",
];

/// Makes a body of parts in parts, so deep.
type Grow = fn(&mut Planter, usize) -> String;

/// A generator of numbers (xorshift), the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).expect("small")
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A body under construction, and the names that Druid would read in it.
struct Planter {
    random: Random,
    planted: Vec<String>,
}

impl Planter {
    fn plant(&mut self) -> String {
        let name = format!("planted{}", self.planted.len());
        self.planted.push(name.clone());
        name
    }

    fn query(&mut self, depth: usize) -> String {
        let kind = self.random.one(&["scan", "timeseries", "topN", "groupBy", "segmentMetadata", "union"]);
        let noise = self.noise(2);
        if kind == "union" {
            let (one, two) = (self.inner_query(depth), self.inner_query(depth));
            return format!(r#"{{"queryType":"union","queries":[{one},{two}]{noise}}}"#);
        }
        let source = self.source(depth);
        format!(r#"{{{}"queryType":"{kind}","dataSource":{source}{noise}}}"#, self.first_noise())
    }

    fn inner_query(&mut self, depth: usize) -> String {
        if depth == 0 {
            format!(r#"{{"queryType":"scan","dataSource":"{}"}}"#, self.plant())
        } else {
            self.query(depth - 1)
        }
    }

    /// A datasource of a query.
    fn source(&mut self, depth: usize) -> String {
        let kind = if depth == 0 { self.random.below(2) } else { self.random.below(7) };
        let noise = if kind == 0 { String::new() } else { self.noise(6) };
        match kind {
            0 => format!("\"{}\"", self.plant()),
            1 => format!(
                r#"{{"type":"{}","name":"{}"{noise}}}"#,
                self.random.one(&["table", "globalTable"]),
                self.plant()
            ),
            2 => {
                let (one, two) = (self.source(depth - 1), self.source(depth - 1));
                format!(r#"{{"dataSources":[{one},{two}],"type":"union"{noise}}}"#)
            }
            3 => {
                let (left, right) = (self.source(depth - 1), self.source(depth - 1));
                format!(r#"{{"type":"join","left":{left},"right":{right},"condition":"1"{noise}}}"#)
            }
            4 => format!(r#"{{"type":"query","query":{}{noise}}}"#, self.inner_query(depth - 1)),
            5 => format!(r#"{{"type":"unnest","base":{},"virtualColumn":{{}}{noise}}}"#, self.source(depth - 1)),
            _ => format!(r#"{{"type":"filter","filter":{{"type":"true"}},"base":{}{noise}}}"#, self.source(depth - 1)),
        }
    }

    fn task(&mut self, depth: usize) -> String {
        let noise = self.noise(3);
        let target = self.plant();
        match self.random.below(3) {
            0 => {
                let source = self.input_source(depth);
                let inner = self.noise(4);
                format!(
                    r#"{{"type":"index_parallel","spec":{{"dataSchema":{{"dataSource":"{target}"}},"ioConfig":{{"inputSource":{source}{inner}}}}}{noise}}}"#
                )
            }
            1 => {
                let spec = self.path_spec(depth);
                format!(
                    r#"{{"type":"index_hadoop","spec":{{"ioConfig":{{"inputSpec":{spec}}},"dataSchema":{{"dataSource":"{target}"}}}}{noise}}}"#
                )
            }
            _ => {
                let segment = self.plant();
                format!(
                    r#"{{"type":"compact","dataSource":"{target}","segments":[{{"dataSource":"{segment}"{}}}]{noise}}}"#,
                    self.noise(4)
                )
            }
        }
    }

    fn input_source(&mut self, depth: usize) -> String {
        let noise = self.noise(8);
        if depth == 0 || self.random.below(3) == 0 {
            return format!(r#"{{"type":"druid","interval":"2000/3000","dataSource":"{}"{noise}}}"#, self.plant());
        }
        let (one, two) = (self.input_source(depth - 1), self.input_source(depth - 1));
        format!(r#"{{"type":"combining","delegates":[{one},{two}]{noise}}}"#)
    }

    fn path_spec(&mut self, depth: usize) -> String {
        let noise = self.noise(8);
        if depth == 0 || self.random.below(3) == 0 {
            return format!(r#"{{"type":"dataSource","ingestionSpec":{{"dataSource":"{}"{noise}}}}}"#, self.plant());
        }
        let (one, two) = (self.path_spec(depth - 1), self.path_spec(depth - 1));
        format!(r#"{{"children":[{one},{two}],"type":"multi"{noise}}}"#)
    }

    fn supervisor(&mut self, depth: usize) -> String {
        let noise = self.noise(3);
        let target = self.plant();
        match self.random.below(3) {
            0 => format!(
                r#"{{"type":"kafka","spec":{{"dataSchema":{{"dataSource":"{target}"{}}},"ioConfig":{{}}}}{noise}}}"#,
                self.noise(3)
            ),
            1 => format!(r#"{{"type":"autocompact","spec":{{"dataSource":"{target}"{}}}{noise}}}"#, self.noise(3)),
            _ => {
                let tables: Vec<String> = (0..=depth).map(|_| self.plant()).collect();
                let from = tables.join(", ");
                format!(
                    r#"{{"type":"scheduled_batch","spec":{{"query":"INSERT INTO {target} SELECT * FROM {from} PARTITIONED BY ALL"{}}}{noise}}}"#,
                    self.noise(3)
                )
            }
        }
    }

    /// Once in `rarity` times a member more, which may name a datasource by Druid's own keys.
    fn noise(&mut self, rarity: usize) -> String {
        if self.random.below(rarity) > 0 {
            return String::new();
        }
        format!(",{}", self.member())
    }

    fn first_noise(&mut self) -> String {
        if self.random.below(9) > 0 {
            return String::new();
        }
        format!("{},", self.member())
    }

    /// What stands under a key that names a datasource, in a place where nothing is known to read it, must be refused or
    /// needed all the same.
    fn member(&mut self) -> String {
        let key = self.random.one(&KEYS);
        let kind = self.random.one(&TYPES);
        match self.random.below(4) {
            0 => format!(r#""{key}":{{"type":"{kind}","dataSource":"{}"}}"#, self.plant()),
            1 => format!(r#""{key}":[[{{"dataSource":"{}"}}]]"#, self.plant()),
            2 => format!(r#""extra":{{"{key}":{{"type":"table","name":"{}"}}}}"#, self.plant()),
            _ => format!(r#""{key}":{{"queryType":"scan","dataSource":"{}"}}"#, self.plant()),
        }
    }
}

#[test]
fn no_body_is_taken_without_the_need_for_what_it_names() {
    let inspector = inspector(sql::ExternalRules::default(), ContextKeys::Ignore);
    let kinds: [(&str, Grow); 3] = [
        ("/druid/v2", Planter::query),
        ("/druid/indexer/v1/task", Planter::task),
        ("/druid/indexer/v1/supervisor", Planter::supervisor),
    ];
    for (target, grow) in kinds {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let (mut taken, mut most) = (0, 0);
        for _ in 0..ROUNDS {
            let depth = random.below(4);
            let mut planter = Planter { random, planted: Vec::new() };
            let body = grow(&mut planter, depth);
            random = planter.random;
            let Ok(inspected) = inspect_with(&inspector, target, &body) else { continue };
            let needs = lines(&inspected);
            for name in &planter.planted {
                let named = needs.iter().any(|need| need.starts_with(&format!("DATASOURCE|{name}|")));
                assert!(named, "{name} is not needed: {body}\n{needs:?}");
            }
            taken += 1;
            most = most.max(planter.planted.len());
        }
        assert!(taken > ROUNDS / 20 && most > 2, "{target}: {taken} taken, at most {most} names");
    }
}
