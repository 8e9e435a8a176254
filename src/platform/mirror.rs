//! What a user declares of mirrors and proxies of their own (WSUS, Satellite, Artifactory, Squid), which AWS does not know of.

use std::net::IpAddr;
use std::num::NonZeroU16;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};
use serde_saphyr::Spanned;

use super::Tables;
use super::tables::{TableError, parse};

/// The mirrors that a user declared.
///
/// ```yaml
/// mirrors:
///   - for: { os: windows-server, account: "111122223333", region: eu-west-1, tag: { key: Patching, value: wsus } }
///     host: wsus.corp.example
///     ports: [8531]
///     addresses: [10.20.0.15, 10.20.8.0/24]   # when they cannot be learned from DNS in AWS
/// ```
///
/// An instance that an entry is for needs the entry's host instead of the operating system's own repositories. What is not written in `for`
/// holds always. Of the entries that fit the most particular count, those with the most conditions: with several, all of their hosts are needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrors {
    entries: Vec<Mirror>,
}

/// A host that certain instances take their patches from, or through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    pub applies_to: AppliesTo,
    /// A DNS name or an address.
    pub host: String,
    /// All are needed.
    pub ports: Vec<u16>,
    /// Where the host is; empty when the user left that to DNS.
    pub addresses: Vec<IpNet>,
}

/// Which instances a mirror is for. `None` is for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliesTo {
    /// The id in the table of operating systems.
    pub os: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    /// The instance's own tag.
    pub tag: Option<Tag>,
}

/// A tag that an instance must have.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    pub key: String,
    /// Any value when `None`.
    pub value: Option<String>,
}

/// The mirrors of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declared<'a> {
    /// The instance uses the operating system's own repositories, as far as anybody said.
    Nothing,
    /// All are needed.
    Mirrors(Vec<&'a Mirror>),
    /// A mirror is for an operating system, and that of the instance is not known.
    Unknown,
}

/// What decides which mirrors are an instance's.
#[derive(Debug, Clone, Copy)]
pub struct Traits<'a> {
    /// `Platform.os`
    pub os: Option<&'a str>,
    pub account: &'a str,
    pub region: &'a str,
    /// Keys and values.
    pub tags: &'a [(&'a str, &'a str)],
}

impl Mirrors {
    /// Reads a user's file. `file_name` is for the message of an error, `tables` tell which operating systems there are.
    pub fn parse(yaml_text: &str, file_name: &str, tables: &Tables) -> Result<Self, TableError> {
        let file: File = parse(yaml_text, file_name)?;
        let mut entries = Vec::new();
        for entry in file.mirrors {
            let os = entry.applies_to.os;
            if let Some(unknown) = os.as_ref().filter(|os| !tables.operating_systems.contains_key(&os.value)) {
                let (line, column) = (unknown.referenced.line(), unknown.referenced.column());
                let nearest = nearest(tables, &unknown.value).map(|id| format!(": did you mean {id}?")).unwrap_or_default();
                let problem = format!("line {line} column {column}: there is no operating system {:?}{nearest}", unknown.value);
                return Err(TableError::Malformed { file: file_name.to_owned(), problem });
            }
            entries.push(Mirror {
                applies_to: AppliesTo {
                    os: os.map(|os| os.value),
                    account: entry.applies_to.account.map(|Account(account)| account),
                    region: entry.applies_to.region.map(|Region(region)| region),
                    tag: entry.applies_to.tag,
                },
                host: entry.host.0,
                ports: entry.ports.0.into_iter().map(NonZeroU16::get).collect(),
                addresses: entry.addresses.into_iter().map(|Network(network)| network).collect(),
            });
        }
        Ok(Self { entries })
    }

    /// The mirrors of an instance.
    pub fn of(&self, instance: &Traits<'_>) -> Declared<'_> {
        let fitting = self.entries.iter().filter(|mirror| mirror.applies_to.fits_but_for_the_os(instance)).collect::<Vec<_>>();
        let Some(os) = instance.os else {
            return if fitting.iter().any(|mirror| mirror.applies_to.os.is_some()) { Declared::Unknown } else { most_particular(fitting) };
        };
        most_particular(fitting.into_iter().filter(|mirror| mirror.applies_to.os.as_deref().is_none_or(|known| known == os)).collect())
    }
}

fn most_particular(mut fitting: Vec<&Mirror>) -> Declared<'_> {
    let Some(most) = fitting.iter().map(|mirror| mirror.applies_to.conditions()).max() else {
        return Declared::Nothing;
    };
    fitting.retain(|mirror| mirror.applies_to.conditions() == most);
    Declared::Mirrors(fitting)
}

impl AppliesTo {
    fn fits_but_for_the_os(&self, instance: &Traits<'_>) -> bool {
        let tagged = |tag: &Tag| {
            let fits = |&(key, value): &(&str, &str)| key == tag.key && tag.value.as_deref().is_none_or(|wanted| wanted == value);
            instance.tags.iter().any(fits)
        };
        self.account.as_deref().is_none_or(|account| account == instance.account)
            && self.region.as_deref().is_none_or(|region| region == instance.region)
            && self.tag.as_ref().is_none_or(tagged)
    }

    fn conditions(&self) -> usize {
        [self.os.is_some(), self.account.is_some(), self.region.is_some(), self.tag.is_some()].into_iter().filter(|set| *set).count()
    }
}

fn nearest<'a>(tables: &'a Tables, unknown: &str) -> Option<&'a str> {
    let distances = tables.operating_systems.keys().map(|id| (strsim::osa_distance(id, unknown), id.as_str()));
    distances.min().filter(|(distance, _)| *distance <= 3).map(|(_, id)| id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mirrors: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(rename = "for")]
    applies_to: For,
    host: Host,
    ports: Ports,
    #[serde(default)]
    addresses: Vec<Network>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct For {
    os: Option<Spanned<String>>,
    account: Option<Account>,
    region: Option<Region>,
    tag: Option<Tag>,
}

struct Host(String);

impl<'de> Deserialize<'de> for Host {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_name = |text: &str| {
            let text = text.strip_suffix('.').unwrap_or(text);
            let plain = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
            text.split('.').all(|label| !label.is_empty() && label.chars().all(plain))
        };
        if text.parse::<IpAddr>().is_ok() || is_name(&text) {
            return Ok(Self(text));
        }
        let hint = if text.contains("://") || text.contains('/') {
            "write the host alone, without protocol and path"
        } else if text.contains(':') {
            "write the port in ports"
        } else {
            "write a DNS name or an address"
        };
        Err(de::Error::custom(format!("{text:?} is no host: {hint}")))
    }
}

struct Ports(Vec<NonZeroU16>);

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ports = Vec::deserialize(deserializer)?;
        if ports.is_empty() {
            return Err(de::Error::custom("a mirror has at least one port: write [443]"));
        }
        Ok(Self(ports))
    }
}

struct Network(IpNet);

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let network = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        let error = || de::Error::custom(format!("{text:?} is no address: write 10.20.0.15 or 10.20.8.0/24"));
        network.map(|network| Self(network.trunc())).ok_or_else(error)
    }
}

struct Account(String);

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self(text));
        }
        Err(de::Error::custom(format!("{text:?} is no account: write its 12 digits in quotation marks")))
    }
}

struct Region(String);

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let numbered = text.ends_with(|character: char| character.is_ascii_digit()) && text.split('-').count() >= 3;
        if plain && numbered {
            return Ok(Self(text));
        }
        Err(de::Error::custom(format!("{text:?} is no Region: write eu-west-1")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINE: &str = "mirrors:
  - for: { os: windows-server }
    host: wsus.corp.example
    ports: [8530, 8531]
    addresses: [10.20.0.15, 10.20.8.1/24, \"fd00::5\"]
  - for: { os: windows-server, account: \"111122223333\" }
    host: 10.9.0.4
    ports: [8531]
  - for: { os: rhel, region: eu-west-1, tag: { key: Patching, value: satellite } }
    host: satellite.corp.example.
    ports: [443]
  - for: { os: rhel, region: eu-west-1, tag: { key: Patching } }
    host: capsule.corp.example
    ports: [443]
  - for: { tag: { key: Proxy } }
    host: squid
    ports: [3128]
";

    fn mine() -> Mirrors {
        Mirrors::parse(MINE, "mine.yaml", &Tables::builtin().unwrap()).unwrap()
    }

    #[test]
    fn a_file_is_read() {
        let mirrors = mine();
        let addresses = mirrors.entries[0].addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(addresses, ["10.20.0.15/32", "10.20.8.0/24", "fd00::5/128"]);
        assert_eq!(mirrors.entries[0].ports, [8530, 8531]);
        assert_eq!(mirrors.entries[3].applies_to.tag, Some(Tag { key: "Patching".to_owned(), value: None }));
        assert_eq!(Mirrors::parse("mirrors: []\n", "mine.yaml", &Tables::builtin().unwrap()).unwrap().entries, []);
    }

    #[test]
    fn the_most_particular_entries_count() {
        let mirrors = mine();
        let nobody = "999999999999";
        let satellite: &[(&str, &str)] = &[("Name", "db"), ("Patching", "satellite")];
        let capsule: &[(&str, &str)] = &[("Patching", "capsule")];
        let proxy: &[(&str, &str)] = &[("Proxy", "")];
        for (os, account, region, tags, expected) in [
            ("windows-server", nobody, "eu-west-1", &[][..], "wsus.corp.example"),
            ("windows-server", "111122223333", "eu-west-1", &[], "10.9.0.4"),
            ("rhel", nobody, "eu-west-1", satellite, "satellite.corp.example. capsule.corp.example"),
            ("rhel", nobody, "eu-west-1", capsule, "capsule.corp.example"),
            ("rhel", nobody, "us-east-1", satellite, "nothing"),
            ("rhel", nobody, "eu-west-1", &[], "nothing"),
            ("ubuntu", nobody, "eu-west-1", proxy, "squid"),
            ("ubuntu", nobody, "eu-west-1", &[("proxy", "")], "nothing"),
            ("", nobody, "eu-west-1", &[], "unknown"),
        ] {
            let instance = Traits { os: Some(os).filter(|os| !os.is_empty()), account, region, tags };
            let found = match mirrors.of(&instance) {
                Declared::Nothing => "nothing".to_owned(),
                Declared::Unknown => "unknown".to_owned(),
                Declared::Mirrors(found) => found.iter().map(|mirror| mirror.host.as_str()).collect::<Vec<_>>().join(" "),
            };
            assert_eq!(found, expected, "{os} {account} {region} {tags:?}");
        }
    }

    #[test]
    fn an_unknown_operating_system_matters_only_where_an_entry_names_one() {
        let text = "mirrors: [{ for: { region: eu-west-1 }, host: squid, ports: [3128] }]";
        let mirrors = Mirrors::parse(text, "mine.yaml", &Tables::builtin().unwrap()).unwrap();
        let instance = |region| Traits { os: None, account: "111122223333", region, tags: &[] };
        assert!(matches!(mirrors.of(&instance("eu-west-1")), Declared::Mirrors(found) if found.len() == 1));
        assert_eq!(mirrors.of(&instance("eu-west-2")), Declared::Nothing);
    }

    #[test]
    fn a_broken_file_is_refused_with_file_and_line() {
        for (right, wrong, line, expected) in [
            ("os: windows-server }", "os: windows-sever }", 2, "no operating system \"windows-sever\": did you mean windows-server?"),
            ("os: windows-server }", "os: solaris }", 2, "no operating system \"solaris\""),
            ("\"111122223333\"", "\"1111\"", 6, "no account"),
            ("region: eu-west-1, tag: { key: Patching, ", "region: Ireland, tag: { key: Patching, ", 9, "no Region"),
            ("host: wsus.corp.example", "host: \"https://wsus.corp.example\"", 3, "without protocol and path"),
            ("host: wsus.corp.example", "host: \"wsus.corp.example:8531\"", 3, "write the port in ports"),
            ("host: wsus.corp.example", "host: \"\"", 3, "a DNS name or an address"),
            ("ports: [8530, 8531]", "ports: []", 4, "at least one port"),
            ("ports: [8530, 8531]", "ports: [0]", 4, ""),
            ("ports: [8530, 8531]", "ports: [85310]", 4, ""),
            ("10.20.8.1/24", "10.20.8.1/33", 5, "no address"),
            ("    host: squid\n", "    hots: squid\n", 16, "hots"),
            ("tag: { key: Proxy }", "tags: { key: Proxy }", 15, "tags"),
        ] {
            assert!(MINE.contains(right), "{right}");
            let message =
                Mirrors::parse(&MINE.replacen(right, wrong, 1), "mine.yaml", &Tables::builtin().unwrap()).unwrap_err().to_string();
            assert!(message.starts_with(&format!("mine.yaml: line {line} ")), "{wrong}: {message}");
            assert!(message.contains(expected), "{wrong}: {message}");
        }
    }
}
