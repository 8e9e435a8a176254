//! How each operation looks on the wire: the table that `wire_table.py` takes from botocore's models.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

/// The table is broken. It is compiled in, so that this is a fault of `wire_table.py`.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("data/wire.json cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error("data/wire.json names the shape {0} and does not hold it")]
    NoShape(String),
}

/// All operations that are served.
#[derive(Debug)]
pub struct Table {
    /// The version of botocore that it was taken from.
    pub botocore: String,
    /// By the prefix that IAM writes: `ec2`, `ssm-quicksetup`.
    pub services: BTreeMap<String, Service>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    Ec2,
    Query,
    Json,
    RestJson,
    RestXml,
}

impl Protocol {
    pub fn is_xml(self) -> bool {
        matches!(self, Self::Ec2 | Self::Query | Self::RestXml)
    }
}

#[derive(Debug)]
pub struct Service {
    pub name: String,
    pub protocol: Protocol,
    pub signing_name: String,
    pub target_prefix: Option<String>,
    pub namespace: Option<String>,
    pub operations: BTreeMap<String, Operation>,
    pub inputs: Shapes,
    pub outputs: Shapes,
}

#[derive(Debug)]
pub struct Operation {
    pub name: String,
    pub method: String,
    pub uri: String,
    pub input: Option<Kind>,
    pub output: Option<Kind>,
    /// The outermost element of an XML answer.
    pub root: String,
    /// The element around the members in the query protocol.
    pub wrapper: Option<String>,
    pub pages: Option<Pages>,
    /// The member of the output that is the whole body, as it stands.
    pub payload: Option<String>,
}

/// How a list comes in pages.
#[derive(Debug, Clone, Deserialize)]
pub struct Pages {
    pub members: Vec<String>,
    pub token_in: Vec<String>,
    pub token_out: Vec<String>,
    pub size: String,
    /// The member that says whether there is more.
    pub more: Option<String>,
    pub least: Option<usize>,
    pub most: Option<usize>,
}

/// What a value is on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Enum,
    Number,
    Boolean,
    Blob,
    /// A point in time, in words.
    TimeText,
    /// A point in time, in seconds since 1970.
    TimeNumber,
    Shape(usize),
}

#[derive(Debug)]
pub enum Shape {
    Structure { members: HashMap<String, Member>, required: Vec<String> },
    List { item_name: String, item: Kind, flat: bool },
    Map { key_name: String, value_name: String, value: Kind },
}

#[derive(Debug)]
pub struct Member {
    pub wire: String,
    pub kind: Kind,
    pub location: Option<Location>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Location {
    Uri,
    Query,
    Header,
}

/// Structures, lists and maps; a [`Kind::Shape`] is a place here.
#[derive(Debug, Default)]
pub struct Shapes(Vec<Shape>);

impl Shapes {
    pub fn get(&self, kind: Kind) -> Option<&Shape> {
        match kind {
            Kind::Shape(at) => self.0.get(at),
            _ => None,
        }
    }

    /// The members of a structure.
    pub fn members(&self, kind: Kind) -> Option<&HashMap<String, Member>> {
        match self.get(kind) {
            Some(Shape::Structure { members, .. }) => Some(members),
            _ => None,
        }
    }
}

impl Table {
    pub fn builtin() -> Result<Self, TableError> {
        let raw: RawTable = serde_json::from_str(include_str!("../data/wire.json"))?;
        let services = raw.services.into_iter().map(|(name, service)| Ok((name.clone(), service.resolve(name)?)));
        Ok(Self { botocore: raw.botocore, services: services.collect::<Result<_, TableError>>()? })
    }

    /// By the name in a request's signature.
    pub fn service(&self, signing_name: &str) -> Option<&Service> {
        self.services.values().find(|service| service.signing_name == signing_name)
    }

    /// By the name as IAM writes it.
    pub fn operation(&self, name: &str) -> Option<(&Service, &Operation)> {
        let (service, operation) = name.split_once(':')?;
        let service = self.services.get(service)?;
        Some((service, service.operations.get(operation)?))
    }
}

#[derive(Deserialize)]
struct RawTable {
    botocore: String,
    services: BTreeMap<String, RawService>,
}

#[derive(Deserialize)]
struct RawService {
    protocol: Protocol,
    signing_name: String,
    target_prefix: Option<String>,
    namespace: Option<String>,
    operations: BTreeMap<String, RawOperation>,
    inputs: BTreeMap<String, RawShape>,
    outputs: BTreeMap<String, RawShape>,
}

#[derive(Deserialize)]
struct RawOperation {
    method: String,
    uri: String,
    input: Option<String>,
    output: Option<String>,
    root: String,
    wrapper: Option<String>,
    pages: Option<Pages>,
    #[serde(default)]
    payload: Option<String>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct RawShape {
    members: Option<BTreeMap<String, Vec<String>>>,
    required: Vec<String>,
    items: Option<(String, String)>,
    flat: bool,
    map: Option<[(String, String); 2]>,
}

impl RawService {
    fn resolve(self, name: String) -> Result<Service, TableError> {
        let (input_names, inputs) = shapes(self.inputs)?;
        let (output_names, outputs) = shapes(self.outputs)?;
        let operations = self.operations.into_iter().map(|(name, raw)| {
            let operation = Operation {
                name: name.clone(),
                method: raw.method,
                uri: raw.uri,
                input: raw.input.map(|name| kind(&name, &input_names)).transpose()?,
                output: raw.output.map(|name| kind(&name, &output_names)).transpose()?,
                root: raw.root,
                wrapper: raw.wrapper,
                pages: raw.pages,
                payload: raw.payload,
            };
            Ok((name, operation))
        });
        Ok(Service {
            name,
            protocol: self.protocol,
            signing_name: self.signing_name,
            target_prefix: self.target_prefix,
            namespace: self.namespace,
            operations: operations.collect::<Result<_, TableError>>()?,
            inputs,
            outputs,
        })
    }
}

fn shapes(raw: BTreeMap<String, RawShape>) -> Result<(HashMap<String, usize>, Shapes), TableError> {
    let names: HashMap<String, usize> = raw.keys().cloned().zip(0..).collect();
    let shapes = raw.into_iter().map(|(name, raw)| match raw {
        RawShape { members: Some(members), required, .. } => {
            let members = members.into_iter().map(|(name, raw)| Ok((name, member(&raw, &names)?)));
            Ok(Shape::Structure { members: members.collect::<Result<_, TableError>>()?, required })
        }
        RawShape { items: Some((item_name, item)), flat, .. } => Ok(Shape::List { item_name, item: kind(&item, &names)?, flat }),
        RawShape { map: Some([(key_name, _), (value_name, value)]), .. } => {
            Ok(Shape::Map { key_name, value_name, value: kind(&value, &names)? })
        }
        _ => Err(TableError::NoShape(name)),
    });
    let shapes = shapes.collect::<Result<_, TableError>>()?;
    Ok((names, Shapes(shapes)))
}

fn member(raw: &[String], names: &HashMap<String, usize>) -> Result<Member, TableError> {
    let [wire, shape, rest @ ..] = raw else { return Err(TableError::NoShape(raw.join(" "))) };
    let location = rest.first().map(|location| match location.as_str() {
        "uri" => Location::Uri,
        "querystring" => Location::Query,
        _ => Location::Header,
    });
    Ok(Member { wire: wire.clone(), kind: kind(shape, names)?, location })
}

fn kind(name: &str, names: &HashMap<String, usize>) -> Result<Kind, TableError> {
    Ok(match name {
        "string" => Kind::Text,
        "enum" => Kind::Enum,
        "integer" | "long" | "float" | "double" => Kind::Number,
        "boolean" => Kind::Boolean,
        "blob" => Kind::Blob,
        "time-unixTimestamp" => Kind::TimeNumber,
        time if time.starts_with("time-") => Kind::TimeText,
        shape => Kind::Shape(*names.get(shape).ok_or_else(|| TableError::NoShape(shape.to_owned()))?),
    })
}
