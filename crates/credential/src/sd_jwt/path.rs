//! Claims paths: which claims in a credential are meant (SD-JWT VC §4.6.1, OpenID4VP 1.0 §7).

use core::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// Steps one path may have.
const STEPS_MAX: usize = 16;

/// One step of a [`ClaimPath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The member of this name.
    Name(String),
    /// The element at this place, from 0.
    Index(usize),
    /// Every element: `null` in JSON.
    Every,
}

/// A path into a credential's claims: names and places, never values. At least one step, at most
/// 16.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimPath(Vec<Step>);

impl ClaimPath {
    /// The path through these members, outermost first.
    ///
    /// # Panics
    /// If `names` is empty or longer than 16: such a path is a mistake in the program.
    pub fn of(names: &[&str]) -> Self {
        let steps = names.iter().map(|name| Step::Name((*name).to_owned())).collect();
        Self::from_steps(steps).expect("a path written in the program has 1 to 16 steps")
    }

    /// The path of these steps; `None` unless there are 1 to 16.
    pub fn from_steps(steps: Vec<Step>) -> Option<Self> {
        (1..=STEPS_MAX).contains(&steps.len()).then_some(Self(steps))
    }

    /// Reads the JSON form: an array of names, places and `null`.
    pub fn from_json(value: &Value) -> Option<Self> {
        let steps = value.as_array()?.iter().map(|step| match step {
            Value::String(name) => Some(Step::Name(name.clone())),
            Value::Number(place) => {
                place.as_u64().and_then(|place| usize::try_from(place).ok()).map(Step::Index)
            }
            Value::Null => Some(Step::Every),
            _ => None,
        });
        Self::from_steps(steps.collect::<Option<_>>()?)
    }

    /// The JSON form.
    pub fn to_json(&self) -> Value {
        let step = |step: &Step| match step {
            Step::Name(name) => Value::from(name.as_str()),
            Step::Index(place) => Value::from(*place),
            Step::Every => Value::Null,
        };
        Value::Array(self.0.iter().map(step).collect())
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this path means the place `at`, which has no [`Step::Every`].
    pub fn matches(&self, at: &[Step]) -> bool {
        self.0.len() == at.len() && self.meets(at)
    }

    /// Whether `at` lies on this path, above it or below it: what a holder has to disclose for it.
    pub fn meets(&self, at: &[Step]) -> bool {
        self.0.iter().zip(at).all(|(wanted, step)| match (wanted, step) {
            (Step::Every, Step::Index(_)) => true,
            (wanted, step) => wanted == step,
        })
    }

    /// The values this path means in `claims`: none if it leads nowhere (SD-JWT VC §4.6.1.1).
    pub fn select<'a>(&self, claims: &'a Value) -> Vec<&'a Value> {
        let mut found = vec![claims];
        for step in &self.0 {
            found = found
                .into_iter()
                .flat_map(|value| match step {
                    Step::Name(name) => value.get(name).into_iter().collect::<Vec<_>>(),
                    Step::Index(place) => value.get(*place).into_iter().collect(),
                    Step::Every => value.as_array().into_iter().flatten().collect(),
                })
                .collect();
        }
        found
    }
}

impl fmt::Display for ClaimPath {
    /// `address.city`, `degrees[].type`: for logs; names only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if place == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Every => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for ClaimPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ClaimPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_json(&value).ok_or_else(|| D::Error::custom("not a claims path"))
    }
}
