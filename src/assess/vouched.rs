//! Which answers hang on the user's word: each instance is judged once more without each assumption, and what comes out otherwise hung on it.

use std::mem::discriminant;

use super::Assessed;
use crate::network::Assumptions;

/// One thing that the user vouches for.
struct Assumption {
    /// As it is written after `--assume`.
    name: String,
    /// What is assumed, as a fragment of a sentence.
    what: String,
    /// Everything that the user vouches for but this.
    others: Assumptions,
}

impl Assumption {
    fn note(&self) -> String {
        format!("Assumed (--assume {}): {}.", self.name, self.what)
    }
}

fn each(all: &Assumptions) -> Vec<Assumption> {
    let Assumptions {
        no_private_dns_overrides,
        dns_firewall_passes_aws_names,
        no_organization_policies,
        no_unseen_patch_policies,
        quick_setup_bucket_policies,
        leads_to_internet,
    } = all;
    let named = [
        (
            *no_private_dns_overrides,
            "no-private-dns-overrides",
            "no private hosted zone and no resolver rule that was not seen overrides a name of AWS's",
            Assumptions { no_private_dns_overrides: false, ..all.clone() },
        ),
        (
            *dns_firewall_passes_aws_names,
            "dns-firewall-passes-aws-names",
            "no list of DNS Firewall that was not seen holds a name that patching needs",
            Assumptions { dns_firewall_passes_aws_names: false, ..all.clone() },
        ),
        (
            *no_organization_policies,
            "no-organization-policies",
            "no service control policy and no resource control policy takes away what patching needs",
            Assumptions { no_organization_policies: false, ..all.clone() },
        ),
        (
            *no_unseen_patch_policies,
            "no-unseen-patch-policies",
            "no patch policy exists beside those that were seen",
            Assumptions { no_unseen_patch_policies: false, ..all.clone() },
        ),
        (
            *quick_setup_bucket_policies,
            "quick-setup-bucket-policies",
            "where the policy of a patch policy's bucket was not read, it is as Quick Setup writes it",
            Assumptions { quick_setup_bucket_policies: false, ..all.clone() },
        ),
    ];
    let named = named.into_iter().filter(|(is_assumed, ..)| *is_assumed);
    let named = named.map(|(_, name, what, others)| Assumption { name: name.to_owned(), what: what.to_owned(), others });
    let of_gateways = leads_to_internet.iter().map(|id| Assumption {
        name: format!("{id}=internet"),
        what: format!("{id} leads to the internet, and the answers come back by it"),
        others: {
            let mut others = all.clone();
            others.leads_to_internet.remove(id);
            others
        },
    });
    named.chain(of_gateways).collect()
}

/// Marks the instances whose answers hang on an assumption, and tells of each assumption how many there are.
///
/// # Errors
/// Those of `judge`.
pub fn mark<E>(
    assessed: &mut [Assessed],
    assumptions: &Assumptions,
    judge: impl Fn(&Assumptions) -> Result<Vec<Assessed>, E>,
) -> Result<Vec<String>, E> {
    let mut told = Vec::new();
    for assumption in each(assumptions) {
        let note = assumption.note();
        let otherwise = judge(&assumption.others)?;
        let mut hanging = 0_usize;
        for (own, _) in assessed.iter_mut().zip(&otherwise).filter(|(own, other)| is_judged_otherwise(own, other)) {
            own.learned.notes.push(note.clone());
            hanging += 1;
        }
        told.push(match hanging {
            0 => format!("{note} No instance would be judged otherwise without it."),
            1 => format!("{note} Without it 1 instance would be judged otherwise."),
            many => format!("{note} Without it {many} instances would be judged otherwise."),
        });
    }
    Ok(told)
}

/// Whether a verdict differs; the words in which it is told are none.
fn is_judged_otherwise(own: &Assessed, other: &Assessed) -> bool {
    let findings = |assessed: &Assessed| {
        let found = assessed.findings.iter().map(|found| (found.rule_id.clone(), found.resource.clone(), found.severity, found.status));
        found.collect::<Vec<_>>()
    };
    let paths = |assessed: &Assessed| {
        let judged = assessed.learned.paths.iter();
        judged.map(|path| (path.host.clone(), path.port, path.verdict, discriminant(&path.authorization))).collect::<Vec<_>>()
    };
    let reaches = |assessed: &Assessed| assessed.learned.reaches.iter().map(discriminant).collect::<Vec<_>>();
    own.readiness != other.readiness
        || own.excluded_because.is_some() != other.excluded_because.is_some()
        || findings(own) != findings(other)
        || paths(own) != paths(other)
        || reaches(own) != reaches(other)
}
