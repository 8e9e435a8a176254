//! Expectations worked out by hand from AWS's documentation, a row a case.

use Answer::{No, Unknown, Yes};
use jiff::civil::{Date, date};

use super::*;

fn tables() -> Tables {
    Tables::builtin().unwrap_or_else(|error| panic!("{error}"))
}

const TODAY: Date = date(2026, 11, 24);

// PlatformName, PlatformVersion → id ("" when unknown), version, Patch Manager, agent on x86_64, vendor's support over.
type AgentRow = (&'static str, &'static str, &'static str, &'static str, Answer, Answer, Answer);

#[rustfmt::skip]
const REPORTED: &[AgentRow] = &[
    ("Amazon Linux",                                "2",          "amazon-linux-2",    "2",         Yes,     Yes,     Yes),
    ("Amazon Linux",                                "2023",       "amazon-linux-2023", "2023",      Yes,     Yes,     No),
    ("Amazon Linux",                                "2027",       "amazon-linux-2027", "2027",      No,      Unknown, No),
    ("Amazon Linux",                                "2031",       "",                  "2031",      Unknown, Unknown, Unknown),
    ("Amazon Linux",                                "",           "",                  "",          Unknown, Unknown, Unknown),
    ("Amazon Linux AMI",                            "2018.03",    "amazon-linux-1",    "2018.03",   No,      No,      Yes),
    ("Amazon Linux",                                "2018.03",    "amazon-linux-1",    "2018.03",   No,      No,      Yes),
    ("Red Hat Enterprise Linux Server",             "6.10",       "rhel",              "6.10",      No,      No,      Yes),
    ("Red Hat Enterprise Linux Server",             "7.2",        "rhel",              "7.2",       Yes,     Yes,     Yes),
    ("Red Hat Enterprise Linux Server",             "7.9",        "rhel",              "7.9",       Yes,     Yes,     Yes),
    ("Red Hat Enterprise Linux",                    "8.0",        "rhel",              "8.0",       Yes,     Yes,     No),
    ("Red Hat Enterprise Linux",                    "8.10",       "rhel",              "8.10",      Yes,     Yes,     No),
    ("Red Hat Enterprise Linux",                    "9",          "rhel",              "9",         Yes,     Yes,     No),
    ("Red Hat Enterprise Linux",                    "9.4",        "rhel",              "9.4",       Yes,     Yes,     No),
    ("Red Hat Enterprise Linux",                    "10.0",       "rhel",              "10.0",      Yes,     Yes,     No),
    ("Red Hat Enterprise Linux",                    "11.0",       "rhel",              "11.0",      No,      No,      Unknown),
    ("Red Hat Enterprise Linux",                    "",           "rhel",              "",          Unknown, Unknown, Unknown),
    ("Red Hat Enterprise Linux CoreOS",             "4.16",       "rhel-coreos",       "4.16",      No,      No,      Unknown),
    ("Ubuntu",                                      "16.04",      "ubuntu",            "16.04",     No,      No,      Yes),
    ("Ubuntu",                                      "18.04",      "ubuntu",            "18.04",     Yes,     Yes,     Yes),
    ("Ubuntu",                                      "20.04",      "ubuntu",            "20.04",     Yes,     Yes,     Yes),
    ("Ubuntu",                                      "22.04",      "ubuntu",            "22.04",     Yes,     Yes,     No),
    ("Ubuntu",                                      "24.04",      "ubuntu",            "24.04",     Yes,     Yes,     No),
    ("ubuntu",                                      "24.04.1",    "ubuntu",            "24.04.1",   Yes,     Yes,     No),
    ("Ubuntu",                                      "24.10",      "ubuntu",            "24.10",     No,      No,      Yes),
    ("Ubuntu",                                      "25.04",      "ubuntu",            "25.04",     Yes,     Yes,     Yes),
    ("Ubuntu",                                      "25.10",      "ubuntu",            "25.10",     No,      No,      Yes),
    ("Ubuntu",                                      "26.04",      "ubuntu",            "26.04",     No,      No,      No),
    ("Ubuntu Core",                                 "22",         "ubuntu",            "22",        Unknown, Unknown, Unknown),
    ("Debian GNU/Linux",                            "10",         "debian",            "10",        No,      No,      Yes),
    ("Debian GNU/Linux",                            "11",         "debian",            "11",        Yes,     Yes,     Yes),
    ("Debian GNU/Linux",                            "12",         "debian",            "12",        Yes,     Yes,     No),
    ("Debian GNU/Linux",                            "12.5",       "debian",            "12.5",      Yes,     Yes,     No),
    ("Debian GNU/Linux",                            "13",         "debian",            "13",        No,      No,      No),
    ("Debian GNU/Linux",                            "",           "debian",            "",          Unknown, Unknown, Unknown),
    ("Raspbian GNU/Linux",                          "11",         "raspbian",          "11",        No,      No,      Unknown),
    ("SLES",                                        "12.5",       "sles",              "12.5",      No,      No,      Yes),
    ("SLES",                                        "15",         "sles",              "15",        No,      No,      Yes),
    ("SLES",                                        "15.1",       "sles",              "15.1",      No,      No,      Yes),
    ("SLES",                                        "15.3",       "sles",              "15.3",      Yes,     Yes,     Yes),
    ("SLES",                                        "15.6",       "sles",              "15.6",      Yes,     Yes,     Yes),
    ("SLES_SAP",                                    "15.7",       "sles",              "15.7",      Yes,     Yes,     No),
    ("SLES",                                        "16.0",       "sles",              "16.0",      Unknown, Unknown, No),
    ("CentOS Linux",                                "7.6.2004",   "centos",            "7.6.2004",  No,      No,      Yes),
    ("CentOS Linux",                                "8.5.2111",   "centos",            "8.5.2111",  No,      No,      Yes),
    ("CentOS",                                      "6.10",       "centos",            "6.10",      No,      No,      Yes),
    ("CentOS Stream",                               "8",          "centos-stream",     "8",         No,      No,      Yes),
    ("CentOS Stream",                               "9",          "centos-stream",     "9",         Yes,     Yes,     No),
    ("CentOS Stream",                               "10",         "centos-stream",     "10",        No,      No,      No),
    ("Oracle Linux Server",                         "6.10",       "oracle-linux",      "6.10",      No,      No,      Yes),
    ("Oracle Linux Server",                         "7.4",        "oracle-linux",      "7.4",       No,      No,      Yes),
    ("Oracle Linux Server",                         "7",          "oracle-linux",      "7",         Unknown, Unknown, Yes),
    ("Oracle Linux Server",                         "7.8",        "oracle-linux",      "7.8",       Yes,     Yes,     Yes),
    ("Oracle Linux Server",                         "7.9",        "oracle-linux",      "7.9",       Yes,     Unknown, Yes),
    ("Oracle Linux Server",                         "8.9",        "oracle-linux",      "8.9",       Yes,     Yes,     No),
    ("Oracle Linux Server",                         "8.10",       "oracle-linux",      "8.10",      Yes,     Yes,     No),
    ("Oracle Linux Server",                         "9.4",        "oracle-linux",      "9.4",       Yes,     Yes,     No),
    ("Oracle Linux Server",                         "10.0",       "oracle-linux",      "10.0",      No,      No,      Unknown),
    ("Rocky Linux",                                 "8.10",       "rocky",             "8.10",      Yes,     Yes,     No),
    ("Rocky Linux",                                 "9.4",        "rocky",             "9.4",       Yes,     Yes,     No),
    ("Rocky Linux",                                 "10.0",       "rocky",             "10.0",      No,      Yes,     No),
    ("AlmaLinux",                                   "8.2",        "alma",              "8.2",       Yes,     No,      No),
    ("AlmaLinux",                                   "8",          "alma",              "8",         Yes,     Unknown, No),
    ("AlmaLinux",                                   "8.10",       "alma",              "8.10",      Yes,     Yes,     No),
    ("AlmaLinux",                                   "9.4",        "alma",              "9.4",       Yes,     Yes,     No),
    ("AlmaLinux",                                   "10.0",       "alma",              "10.0",      No,      No,      No),
    ("Bottlerocket",                                "1.20.0",     "bottlerocket",      "1.20.0",    No,      Yes,     Unknown),
    ("Fedora Linux",                                "41",         "fedora",            "41",        No,      No,      Unknown),
    ("Flatcar Container Linux by Kinvolk",          "3815.2.0",   "flatcar",           "3815.2.0",  No,      No,      Unknown),
    ("Kali GNU/Linux",                              "2024.2",     "kali",              "2024.2",    No,      No,      Unknown),
    ("openSUSE Leap",                               "15.6",       "opensuse",          "15.6",      No,      No,      Unknown),
    ("Clear Linux OS",                              "42000",      "",                  "42000",     Unknown, Unknown, Unknown),
    ("Microsoft Windows Server 2008 R2 Datacenter", "6.1.7601",   "windows-server",    "2008 R2",   No,      No,      Yes),
    ("Microsoft® Windows Server® 2008 Standard",    "6.0.6002",   "windows-server",    "2008",      No,      No,      Yes),
    ("Microsoft Windows Server 2012 Standard",      "6.2.9200",   "windows-server",    "2012",      Yes,     Yes,     Yes),
    ("Microsoft Windows Server 2012 R2 Standard",   "6.3.9600",   "windows-server",    "2012 R2",   Yes,     Yes,     Yes),
    ("Microsoft Windows Server 2016 Datacenter",    "10.0.14393", "windows-server",    "2016",      Yes,     Yes,     No),
    ("Microsoft Windows Server 2019 Datacenter",    "10.0.17763", "windows-server",    "2019",      Yes,     Yes,     No),
    ("Microsoft Windows Server 2022 Datacenter",    "10.0.20348", "windows-server",    "2022",      Yes,     Yes,     No),
    ("Microsoft Windows Server 2025 Datacenter",    "10.0.26100", "windows-server",    "2025",      Yes,     Yes,     No),
    ("Microsoft Windows Server Datacenter",         "10.0.20348", "windows-server",    "2022",      Yes,     Yes,     No),
    ("Microsoft Windows Server Datacenter",         "10.0.25398", "windows-server",    "",          Unknown, Unknown, Unknown),
    ("Microsoft Windows 11 Enterprise",             "10.0.22631", "windows-client",    "10.0.22631", No,     Unknown, Unknown),
    ("Mac OS X",                                    "10.15.7",    "macos",             "10.15.7",   No,      No,      Unknown),
    ("macOS",                                       "12.7",       "macos",             "12.7",      No,      No,      Yes),
    ("macOS",                                       "13.7.8",     "macos",             "13.7.8",    Yes,     Yes,     Yes),
    ("macOS",                                       "14.5",       "macos",             "14.5",      Yes,     Yes,     Unknown),
    ("macOS",                                       "26.1",       "macos",             "26.1",      No,      No,      Unknown),
];

#[test]
fn what_the_agent_reports() {
    let tables = tables();
    for &(name, version, os, expected_version, patch_manager, agent, over) in REPORTED {
        let observed =
            Observed { platform_name: Some(name), platform_version: Some(version), architecture: Some("x86_64"), ..Observed::default() };
        let platform = identify(&tables, &observed);
        let found = (
            platform.os.as_deref().unwrap_or_default(),
            platform.version.as_deref().unwrap_or_default(),
            patch_manager_support(&tables, &platform).answer,
            agent_support(&tables, &platform).answer,
            vendor_support_over(&tables, &platform, TODAY).answer,
        );
        assert_eq!(found, (os, expected_version, patch_manager, agent, over), "{name} {version}");
        assert_eq!(platform.source, Source::Agent, "{name} {version}");
    }
}

// Image name, owner, owner alias → id, version, Patch Manager, agent preinstalled.
type ImageRow = (&'static str, &'static str, &'static str, &'static str, &'static str, Answer, Answer);

#[rustfmt::skip]
const IMAGES: &[ImageRow] = &[
    ("al2023-ami-2023.5.20240624.0-kernel-6.1-x86_64",                          "137112412989", "amazon",          "amazon-linux-2023", "2023",     Yes,     Yes),
    ("al2023-ami-minimal-2023.5.20240624.0-kernel-6.1-arm64",                   "137112412989", "amazon",          "amazon-linux-2023", "2023",     Yes,     Unknown),
    ("al2023-ami-ecs-hvm-2023.0.20240712-kernel-6.1-x86_64",                    "591542846629", "amazon",          "amazon-linux-2023", "2023",     Yes,     Yes),
    ("amazon-eks-node-al2023-x86_64-standard-1.30-v20240703",                   "602401143452", "amazon",          "amazon-linux-2023", "2023",     Yes,     Yes),
    ("amazon-eks-node-1.29-v20240703",                                          "602401143452", "amazon",          "amazon-linux-2",    "2",        Yes,     Yes),
    ("amzn2-ami-hvm-2.0.20240620.0-x86_64-gp2",                                 "137112412989", "amazon",          "amazon-linux-2",    "2",        Yes,     Yes),
    ("amzn2-ami-kernel-5.10-hvm-2.0.20240620.0-x86_64-gp2",                     "",             "amazon",          "amazon-linux-2",    "2",        Yes,     Yes),
    ("Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) 20250620",    "898082745236", "amazon",          "ubuntu",            "22.04",    Yes,     Yes),
    ("amzn-ami-hvm-2018.03.0.20240131.0-x86_64-gp2",                            "137112412989", "amazon",          "amazon-linux-1",    "2018.03",  No,      No),
    ("Windows_Server-2025-English-Full-Base-2025.05.15",                        "801119661308", "amazon",          "windows-server",    "2025",     Yes,     Yes),
    ("Windows_Server-2022-English-Core-Base-2024.06.13",                        "801119661308", "amazon",          "windows-server",    "2022",     Yes,     Yes),
    ("Windows_Server-2012-R2_RTM-English-64Bit-Base-2023.10.11",                "801119661308", "amazon",          "windows-server",    "2012 R2",  Yes,     Yes),
    ("Windows_Server-2012-RTM-English-64Bit-Base-2023.10.11",                   "801119661308", "amazon",          "windows-server",    "2012",     Yes,     No),
    ("Windows_Server-2019-English-Full-SQL_2019_Standard-2024.06.13",           "801119661308", "amazon",          "windows-server",    "2019",     Yes,     Yes),
    ("TPM-Windows_Server-2022-English-Full-Base-2024.06.13",                    "801119661308", "amazon",          "windows-server",    "2022",     Yes,     Yes),
    ("RHEL-9.4.0_HVM-20240605-x86_64-82-Hourly2-GP3",                           "309956199498", "amazon",          "rhel",              "9.4",      Yes,     No),
    ("RHEL-8.10.0_HVM-20240516-x86_64-1143-Access2-GP3",                        "309956199498", "",                "rhel",              "8.10",     Yes,     No),
    ("RHEL-7.9_HVM-20240930-x86_64-0-Hourly2-GP3",                              "309956199498", "amazon",          "rhel",              "7.9",      Yes,     No),
    ("RHEL-SAP-8.6.0_HVM-20230118-x86_64-1-Hourly2-GP2",                        "309956199498", "amazon",          "rhel",              "8.6",      Yes,     No),
    ("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20240605",      "099720109477", "amazon",          "ubuntu",            "24.04",    Yes,     Yes),
    ("ubuntu/images/hvm-ssd/ubuntu-bionic-18.04-amd64-server-20180912",         "099720109477", "",                "ubuntu",            "18.04",    Yes,     Yes),
    ("ubuntu-eks/k8s_1.29/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-2024", "099720109477", "",                "ubuntu",            "22.04",    Yes,     Yes),
    ("ubuntu-pro-server/images/hvm-ssd/ubuntu-focal-20.04-amd64-pro-server-1",  "",             "aws-marketplace", "ubuntu",            "20.04",    Yes,     Yes),
    ("ubuntu-minimal/images/hvm-ssd/ubuntu-jammy-22.04-amd64-minimal-20240605", "099720109477", "",                "ubuntu",            "22.04",    Yes,     Unknown),
    ("ubuntu/images/hvm-ssd-gp3/ubuntu-resolute-26.04-arm64-server-20260423",   "099720109477", "amazon",          "ubuntu",            "26.04",    No,      No),
    ("debian-12-amd64-20240702-1796",                                           "136693071363", "amazon",          "debian",            "12",       Yes,     No),
    ("debian-13-arm64-20250814-2204",                                           "136693071363", "amazon",          "debian",            "13",       No,      No),
    ("suse-sles-15-sp6-v20240808-hvm-ssd-x86_64",                               "013907871322", "amazon",          "sles",              "15.6",     Yes,     Yes),
    ("suse-sles-sap-15-sp5-v20240808-hvm-ssd-x86_64",                           "013907871322", "amazon",          "sles",              "15.5",     Yes,     Yes),
    ("suse-sles-12-sp5-v20240808-hvm-ssd-x86_64",                               "013907871322", "amazon",          "sles",              "12.5",     No,      No),
    ("suse-sles-16-0-v20251103-hvm-ssd-x86_64",                                 "013907871322", "amazon",          "sles",              "16.0",     Unknown, No),
    ("Rocky-9-EC2-Base-9.4-20240523.0.x86_64",                                  "792107900819", "",                "rocky",             "9.4",      Yes,     No),
    ("Rocky-10-EC2-LVM-10.0-20250609.1.aarch64",                                "792107900819", "",                "rocky",             "10.0",     No,      No),
    ("AlmaLinux OS 9.4.20240513 x86_64",                                        "764336703387", "",                "alma",              "9.4",      Yes,     Yes),
    ("CentOS Stream 9 x86_64 20240527",                                         "125523088429", "",                "centos-stream",     "9",        Yes,     No),
    ("CentOS 7.9.2009 x86_64",                                                  "125523088429", "",                "centos",            "7.9.2009", No,      No),
    ("Fedora-Cloud-Base-40-1.14.x86_64-hvm-us-east-1-gp3-0",                    "125523088429", "",                "fedora",            "40",       No,      No),
    ("Fedora-Cloud-Base-AmazonEC2.x86_64-41-1.4",                               "125523088429", "",                "fedora",            "41",       No,      No),
    ("OL9.4-x86_64-HVM-2024-05-31",                                             "131827586825", "",                "oracle-linux",      "9.4",      Yes,     No),
    ("bottlerocket-aws-k8s-1.30-x86_64-v1.20.3-5d9ac849",                       "092701018921", "amazon",          "bottlerocket",      "1.20.3",   No,      No),
    ("amzn-ec2-macos-14.5-20240527-102214-arm64",                               "",             "amazon",          "macos",             "14.5",     Yes,     Yes),
    ("Flatcar-stable-3815.2.0-hvm",                                             "075585003325", "",                "flatcar",           "3815.2.0", No,      No),
    // The right name of somebody else's image, and somebody's own image, prove nothing.
    ("amzn2-ami-hvm-2.0.20240620.0-x86_64-gp2",                                 "111122223333", "",                "",                  "",         Unknown, Unknown),
    ("al2023-ami-2023.5.20240624.0-kernel-6.1-x86_64",                          "111122223333", "self",            "",                  "",         Unknown, Unknown),
    ("golden-ubuntu-22.04-v7",                                                  "111122223333", "",                "",                  "",         Unknown, Unknown),
    ("Windows_Server-23H2-English-Core-ContainersLatest-2024.06.13",            "801119661308", "amazon",          "",                  "",         Unknown, Unknown),
];

#[test]
fn what_the_image_tells() {
    let tables = tables();
    for &(name, owner, alias, os, version, patch_manager, preinstalled) in IMAGES {
        let some = |text: &'static str| (!text.is_empty()).then_some(text);
        let observed = Observed { image_name: Some(name), image_owner: some(owner), image_owner_alias: some(alias), ..Observed::default() };
        let platform = identify(&tables, &observed);
        let found = (
            platform.os.as_deref().unwrap_or_default(),
            platform.version.as_deref().unwrap_or_default(),
            patch_manager_support(&tables, &platform).answer,
            preinstalled_agent(&tables, &platform, Some(name)).answer,
        );
        assert_eq!(found, (os, version, patch_manager, preinstalled), "{name}");
        assert_eq!(platform.source, if os.is_empty() { Source::Unknown } else { Source::Image }, "{name}");
    }
}

// PlatformDetails, Platform, UsageOperation, instance type → id, family, Patch Manager.
type BillingRow = (&'static str, &'static str, &'static str, &'static str, &'static str, Option<Family>, Answer);

#[rustfmt::skip]
const BILLING: &[BillingRow] = &[
    ("Linux/UNIX",                                "",        "RunInstances",      "t3.micro",   "",               Some(Family::Linux),   Unknown),
    ("Linux/UNIX",                                "",        "RunInstances",      "mac1.metal", "macos",          Some(Family::MacOs),   Unknown),
    ("Linux/UNIX",                                "",        "",                  "mac-m4.metal", "macos",        Some(Family::MacOs),   Unknown),
    ("Red Hat Enterprise Linux",                  "",        "RunInstances:0010", "t3.micro",   "rhel",           Some(Family::Linux),   Unknown),
    ("Red Hat Enterprise Linux with HA",          "",        "",                  "t3.micro",   "rhel",           Some(Family::Linux),   Unknown),
    ("Red Hat BYOL Linux",                        "",        "RunInstances:00g0", "t3.micro",   "rhel",           Some(Family::Linux),   Unknown),
    ("SUSE Linux",                                "",        "RunInstances:000g", "t3.micro",   "sles",           Some(Family::Linux),   Unknown),
    ("Ubuntu Pro",                                "",        "RunInstances:0g00", "t3.micro",   "ubuntu",         Some(Family::Linux),   Unknown),
    ("Windows",                                   "windows", "RunInstances:0002", "t3.micro",   "windows-server", Some(Family::Windows), Unknown),
    ("Windows with SQL Server Standard",          "windows", "",                  "t3.micro",   "windows-server", Some(Family::Windows), Unknown),
    ("Windows BYOL",                              "windows", "RunInstances:0800", "t3.micro",   "",               Some(Family::Windows), Unknown),
    ("SQL Server Enterprise",                     "",        "RunInstances:0100", "t3.micro",   "",               None,                  Unknown),
    ("",                                          "windows", "",                  "t3.micro",   "",               Some(Family::Windows), Unknown),
    ("",                                          "",        "RunInstances:0010", "t3.micro",   "rhel",           Some(Family::Linux),   Unknown),
    ("",                                          "",        "RunInstances:9999", "t3.micro",   "",               None,                  Unknown),
    ("",                                          "",        "",                  "",           "",               None,                  Unknown),
];

#[test]
fn what_ec2_tells() {
    let tables = tables();
    for &(details, platform, operation, instance_type, os, family, patch_manager) in BILLING {
        let some = |text: &'static str| (!text.is_empty()).then_some(text);
        let observed = Observed {
            platform_details: some(details),
            platform: some(platform),
            usage_operation: some(operation),
            instance_type: some(instance_type),
            ..Observed::default()
        };
        let found = identify(&tables, &observed);
        assert_eq!((found.os.as_deref().unwrap_or_default(), found.family), (os, family), "{details:?} {platform:?} {operation:?}");
        assert_eq!(patch_manager_support(&tables, &found).answer, patch_manager, "{details:?} {operation:?}");
        assert_eq!(found.source, if family.is_some() { Source::PlatformDetails } else { Source::Unknown });
    }
}

#[test]
fn the_agent_wins_over_the_image_and_the_image_over_ec2() {
    let tables = tables();
    let everything = Observed {
        platform_type: Some("Linux"),
        platform_name: Some("Ubuntu"),
        platform_version: Some("24.04"),
        image_name: Some("ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-20230517"),
        image_owner: Some("099720109477"),
        platform_details: Some("Red Hat Enterprise Linux"),
        ..Observed::default()
    };
    let label = |observed: &Observed<'_>| identify(&tables, observed).label();
    assert_eq!(label(&everything), "Ubuntu 24.04");
    let unknown_name = Observed { platform_name: Some("Clear Linux OS"), platform_version: Some("42000"), ..everything };
    assert_eq!(label(&unknown_name), "Clear Linux OS 42000");
    let silent = Observed { platform_name: None, platform_version: None, ..everything };
    assert_eq!(label(&silent), "Ubuntu 20.04");
    let not_linux = Observed { platform_type: Some("Windows"), ..silent };
    assert_eq!(label(&not_linux), "Windows");
    let own_image = Observed { image_owner: Some("111122223333"), ..silent };
    assert_eq!(label(&own_image), "Red Hat Enterprise Linux");
    assert_eq!(label(&Observed::default()), "unknown operating system");
    assert_eq!(label(&Observed { platform_name: Some("Amazon Linux"), platform_version: Some("2023"), ..everything }), "Amazon Linux 2023");
}

#[rustfmt::skip]
const AGENT_BY_ARCHITECTURE: &[(&str, &str, Option<&str>, Answer)] = &[
    ("Red Hat Enterprise Linux Server", "7.5",        Some("arm64"),     No),
    ("Red Hat Enterprise Linux Server", "7.6",        Some("arm64"),     Yes),
    ("Red Hat Enterprise Linux Server", "7.5",        None,              Unknown),
    ("Red Hat Enterprise Linux",        "8.10",       None,              Yes),
    ("Oracle Linux Server",             "9.4",        Some("arm64"),     No),
    ("Oracle Linux Server",             "9.4",        None,              Unknown),
    ("Ubuntu",                          "18.04",      Some("i386"),      No),
    ("Amazon Linux",                    "2023",       Some("arm64"),     Yes),
    ("macOS",                           "14.5",       Some("arm64_mac"), Yes),
    ("Microsoft Windows Server 2022 Datacenter", "10.0.20348", Some("x86_64"), Yes),
];

#[test]
fn the_agent_by_architecture() {
    let tables = tables();
    for &(name, version, architecture, expected) in AGENT_BY_ARCHITECTURE {
        let observed = Observed { platform_name: Some(name), platform_version: Some(version), architecture, ..Observed::default() };
        assert_eq!(agent_support(&tables, &identify(&tables, &observed)).answer, expected, "{name} {version} {architecture:?}");
    }
}

fn reported<'a>(name: &'a str, version: &'a str) -> Observed<'a> {
    Observed { platform_name: Some(name), platform_version: Some(version), architecture: Some("x86_64"), ..Observed::default() }
}

#[test]
fn reasons_name_the_list_and_its_date() {
    let tables = tables();
    let reason = |name, version| patch_manager_support(&tables, &identify(&tables, &reported(name, version))).reason;
    assert_eq!(reason("Debian GNU/Linux", "12"), "AWS lists Debian 12 for Patch Manager (as of 2026-11-24)");
    assert_eq!(reason("Debian GNU/Linux", "13"), "AWS's list for Patch Manager has no Debian 13, only 11.x, 12.x (as of 2026-11-24)");
    assert_eq!(reason("Fedora Linux", "41"), "AWS's list for Patch Manager has no Fedora (as of 2026-11-24)");
    assert_eq!(reason("SLES", "16.0"), "AWS writes \"15.3 and later\" and does not name 16 (as of 2026-11-24)");
    assert_eq!(reason("Clear Linux OS", "42000"), "the agent reports \"Clear Linux OS 42000\", which this program does not know");
    assert_eq!(
        reason("Oracle Linux Server", "7"),
        "AWS lists Oracle Linux 7.5-8.x, 9.x for Patch Manager, and what runs here is not known well enough to say"
    );
    let agent =
        agent_support(&tables, &identify(&tables, &Observed { architecture: Some("arm64"), ..reported("Oracle Linux Server", "9.4") }));
    assert!(agent.reason.starts_with("AWS's list for SSM Agent has no Oracle Linux 9.4 on arm64, only"), "{}", agent.reason);
}

#[test]
fn the_last_day_of_support_is_still_supported() {
    let tables = tables();
    let platform = identify(&tables, &reported("Amazon Linux", "2"));
    let end = vendor_support_end(&tables, &platform).unwrap();
    assert_eq!((end.on, end.evidence), (date(2026, 6, 30), Evidence::Documented));
    assert_eq!(vendor_support_over(&tables, &platform, date(2026, 6, 30)).answer, No);
    assert_eq!(vendor_support_over(&tables, &platform, date(2026, 7, 1)).answer, Yes);
    assert_eq!(patch_baseline_operating_system(&tables, &platform), Some("AMAZON_LINUX_2"));
}

#[test]
fn memory_by_instance_type() {
    let tables = tables();
    let rows = [("t1.micro", Yes), ("t2.nano", Yes), ("t3.nano", Yes), ("t3a.nano", Yes), ("t4g.nano", Yes), ("t3.micro", No)];
    let more = [
        ("t4g.small", No),
        ("m7i.large", No),
        ("mac2-m2pro.metal", No),
        ("t9z.micro", Unknown),
        ("t9z.nano", Unknown),
        ("nonsense", Unknown),
    ];
    for (instance_type, expected) in rows.into_iter().chain(more) {
        assert_eq!(has_under_one_gib(&tables, instance_type), expected, "{instance_type}");
    }
    assert!(tables.instance_memory.below_one_gib.values().all(|gib| *gib < 1.0));
}

#[test]
fn regions() {
    let tables = tables();
    for (region, policies, ec2messages) in [
        ("us-east-1", true, Yes),
        ("ap-northeast-3", false, Yes),
        ("ca-west-1", false, Yes),
        ("us-gov-west-1", false, Yes),
        ("ap-southeast-5", false, No),
        ("mx-central-1", false, No),
        ("eusc-de-east-1", false, No),
        ("xx-new-1", false, Unknown),
    ] {
        assert_eq!(
            (patch_policies_supported(&tables, region), region_has_ec2messages(&tables, region)),
            (policies, ec2messages),
            "{region}"
        );
    }
    assert_eq!(tables.regions.patch_policies.len(), 16);
    assert_eq!(tables.regions.buckets.len(), 34);
    let buckets = patch_buckets(&tables, "af-south-1").unwrap();
    assert_eq!(buckets.baseline_snapshot, "patch-baseline-snapshot-af-south-1-tbxdb5b9");
    assert_eq!(buckets.patch_manager, "aws-patch-manager-af-south-1-bdd5f65a9");
    assert_eq!(patch_buckets(&tables, "us-east-1").unwrap().baseline_snapshot, "patch-baseline-snapshot-us-east-1");
    assert_eq!(patch_buckets(&tables, "us-gov-west-1"), None);
}

#[test]
fn agent_versions() {
    let version = |text: &str| text.parse::<AgentVersion>();
    assert!(version("3.3.987.0").unwrap() < version("3.3.4624.0").unwrap());
    assert_eq!(version("3.3"), version("3.3.0.0"));
    assert_eq!(version("3.3.40.0"), Ok(AgentVersion::WITHOUT_EC2MESSAGES));
    assert!(version("2.0.833.9").unwrap() < AgentVersion::PATCHING_MINIMUM);
    assert!(AgentVersion::PATCHING_MINIMUM < AgentVersion::DHMC_MINIMUM);
    assert_eq!(version("3.2.582").unwrap().to_string(), "3.2.582.0");
    for junk in ["", "3.", "latest", "3.3.40.0.1", "3.3.-1.0", "3.3.+1.0", "3.3.99999999999.0", "v3.3.0.0", "3.3.40.0-1"] {
        assert!(version(junk).is_err(), "{junk:?}");
    }
}

#[test]
fn every_id_that_images_name_is_listed_and_every_table_has_sources() {
    let tables = tables();
    let named = tables
        .images
        .known
        .iter()
        .map(|image| &image.os)
        .chain(tables.images.platform_details.iter().filter_map(|known| known.os.as_ref()));
    for id in named {
        assert!(tables.operating_systems.contains_key(id), "{id}");
    }
    let listed = tables.operating_systems.keys().filter_map(|id| tables.operating_system_origin(id));
    for origin in listed.chain(tables.other_origins()) {
        assert_eq!(origin.as_of, TODAY);
        assert!(!origin.sources.is_empty() && origin.sources.iter().all(|url| url.starts_with("https://")));
    }
    assert!(tables.operating_systems.values().flat_map(|listed| &listed.system.support_ends).all(|end| end.source.starts_with("https://")));
}

const OVERRIDE: &str = "as_of: 2027-02-01
source: [https://example.org/decision]
operating_systems:
  debian:
    name: Debian
    family: linux
    reported_as: [{ name: debian }]
    patch_manager: { supported: [\"12.x-13.x\"] }
    agent: { supported: [{ versions: \"12.x-13.x\", architectures: [x86_64] }] }
  clear:
    name: Clear Linux
    family: linux
    reported_as: [{ name: clear linux }]
    patch_manager: { supported: [] }
    agent: { supported: [] }
";

#[test]
fn a_users_list_replaces_by_id_and_adds() {
    let tables = Tables::with_override(OVERRIDE, "mine.yaml").unwrap();
    let answer = |name, version| patch_manager_support(&tables, &identify(&tables, &reported(name, version))).answer;
    assert_eq!(answer("Debian GNU/Linux", "13"), Yes);
    assert_eq!(answer("Debian GNU/Linux", "11"), No);
    assert_eq!(answer("Clear Linux OS", "42000"), No);
    assert_eq!(answer("Ubuntu", "24.04"), Yes);
    assert_eq!(tables.operating_system_origin("debian").unwrap().as_of, date(2027, 2, 1));
}

#[test]
fn a_broken_list_is_refused_with_file_and_line() {
    for (wrong, line, expected) in [
        (OVERRIDE.replace("12.x-13.x", "13.x-12.x"), 8, "ends before it begins"),
        (OVERRIDE.replace("12.x-13.x", "twelve"), 8, "no range of versions"),
        (OVERRIDE.replace("12.x-13.x", "12."), 8, "no range of versions"),
        (OVERRIDE.replace("2027-02-01", "soon"), 1, "no date"),
        (OVERRIDE.replace("    name: Debian\n", "    nam: Debian\n"), 5, "nam"),
        (OVERRIDE.replace("  clear:", "  debian:"), 10, "debian"),
    ] {
        let message = Tables::with_override(&wrong, "mine.yaml").unwrap_err().to_string();
        assert!(message.starts_with(&format!("mine.yaml: line {line} ")), "{message}");
        assert!(message.contains(expected) && message.contains("--> mine.yaml:"), "{message}");
    }
}
