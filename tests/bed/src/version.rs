//! The versions of Druid that can be had.

/// A version of Druid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 27.0.0, with Calcite 1.21 and MSQ.
    V27,
    /// 33.0.0, with Calcite 1.37. Its MSQ is not served.
    V33,
}

impl Version {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V27, Self::V33];

    /// That of this process's bed: 27, unless `MSQ_GATE_BED_DRUID` is `33`.
    #[must_use]
    pub fn of_bed() -> Self {
        let named = std::env::var("MSQ_GATE_BED_DRUID").unwrap_or_default();
        Self::ALL.into_iter().find(|version| version.as_str() == named).unwrap_or(Self::V27)
    }

    /// Its number.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V27 => "27",
            Self::V33 => "33",
        }
    }
}
