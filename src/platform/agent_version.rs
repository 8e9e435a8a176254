//! Versions of SSM Agent.

use std::fmt;
use std::str::FromStr;

/// Four numbers, compared one after the other: 3.3.987.0 comes before 3.3.4624.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentVersion([u32; 4]);

impl AgentVersion {
    /// The least that Patch Manager works with.
    /// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-prerequisites.html>
    pub const PATCHING_MINIMUM: Self = Self([2, 0, 834, 0]);
    /// The least that the Default Host Management Configuration works with.
    /// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
    pub const DHMC_MINIMUM: Self = Self([3, 2, 582, 0]);
    /// From here on the agent leaves ec2messages alone once ssmmessages answers.
    /// <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-setting-up-messageAPIs.html>
    pub const WITHOUT_EC2MESSAGES: Self = Self([3, 3, 40, 0]);
}

/// What the agent reported as its version is none. A fault of whoever wrote the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no agent version: one to four numbers with dots between them, such as 3.3.4624.0")]
pub struct AgentVersionError(String);

impl FromStr for AgentVersion {
    type Err = AgentVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || AgentVersionError(text.to_owned());
        let mut numbers = [0; 4];
        let mut places = numbers.iter_mut();
        for part in text.trim().split('.') {
            let place = places.next().ok_or_else(error)?;
            if !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(error());
            }
            *place = part.parse().map_err(|_| error())?;
        }
        Ok(Self(numbers))
    }
}

impl fmt::Display for AgentVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, build, revision] = self.0;
        write!(formatter, "{major}.{minor}.{build}.{revision}")
    }
}
