//! What SSM Agent asks of AWS, by what it is for.
//!
//! Sources: <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html> for the actions,
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html> and its neighbours for the resources.

/// Actions that stand and fall together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Group {
    Registration,
    /// The channels of ssmmessages.
    Channels,
    /// How an agent before 3.3.40.0 takes its commands, and a later one where ssmmessages does not answer.
    OldMessages,
    /// A patch policy is a State Manager association.
    Associations,
    PatchSnapshot,
    /// Inventory and compliance: how a patch run tells what it found.
    Reports,
    /// What else `AmazonSSMManagedInstanceCore` allows. Not in it: `GetParameter` and `GetParameters`, which the default policy of
    /// Default Host Management Configuration lacks as well, and which no patch run asks for.
    Others,
}

impl Group {
    pub(super) fn actions(self) -> &'static [Action] {
        match self {
            Self::Registration => &[Action("ssm:UpdateInstanceInformation", &[On::Instance, On::Anything])],
            Self::Channels => &[
                Action("ssmmessages:CreateControlChannel", &[On::Anything]),
                Action("ssmmessages:CreateDataChannel", &[On::Anything]),
                Action("ssmmessages:OpenControlChannel", &[On::Anything]),
                Action("ssmmessages:OpenDataChannel", &[On::Anything]),
            ],
            Self::OldMessages => &[
                Action("ec2messages:AcknowledgeMessage", &[On::Anything]),
                Action("ec2messages:DeleteMessage", &[On::Anything]),
                Action("ec2messages:FailMessage", &[On::Anything]),
                Action("ec2messages:GetEndpoint", &[On::Anything]),
                Action("ec2messages:GetMessages", &[On::Anything]),
                Action("ec2messages:SendReply", &[On::Anything]),
            ],
            Self::Associations => &[
                Action("ssm:ListInstanceAssociations", &[On::Instance, On::Anything]),
                Action("ssm:DescribeAssociation", &[On::Instance, On::Association, On::Document, On::Anything]),
                Action("ssm:GetDocument", &[On::Document]),
                Action("ssm:DescribeDocument", &[On::Document]),
                Action("ssm:UpdateInstanceAssociationStatus", &[On::Instance, On::Association, On::Anything]),
            ],
            Self::PatchSnapshot => &[Action("ssm:GetDeployablePatchSnapshotForInstance", &[On::Anything])],
            Self::Reports => {
                &[Action("ssm:PutInventory", &[On::Anything]), Action("ssm:PutComplianceItems", &[On::Instance, On::Anything])]
            }
            Self::Others => &[
                Action("ssm:ListAssociations", &[On::Anything]),
                Action("ssm:UpdateAssociationStatus", &[On::Instance, On::Document, On::Anything]),
                Action("ssm:GetManifest", &[On::Anything]),
                Action("ssm:PutConfigurePackageResult", &[On::Anything]),
            ],
        }
    }
}

/// An action and the resources it is asked on. Of several, AWS does not say which one a request names: they must agree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Action(pub(super) &'static str, pub(super) &'static [On]);

#[derive(Debug, Clone, Copy)]
pub(super) enum On {
    /// The action has no resources: only a policy for every resource allows it.
    Anything,
    Instance,
    /// Some association; its id is not known beforehand.
    Association,
    /// `AWS-RunPatchBaseline`, which a patch policy runs.
    Document,
}
