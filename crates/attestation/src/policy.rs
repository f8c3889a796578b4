//! Policy: which claims are good enough, and for what.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    BootState, Claims, Class, Details, Reject, SecurityLevel, TcbStatus, Technology, UnixSeconds,
};

/// What a relying party accepts. As JSON, unknown fields are refused and missing ones take the
/// value of [`Policy::strict`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// The classes that are accepted.
    pub classes: BTreeSet<Class>,
    /// Empty: every technology of an accepted class.
    pub technologies: BTreeSet<Technology>,
    /// The ratings of firmware that are accepted.
    pub tcb_statuses: BTreeSet<TcbStatus>,
    /// Security advisories (such as `INTEL-SA-00615`) that refuse a platform.
    pub refused_advisories: BTreeSet<String>,
    /// Lower-case hex. Empty: any measurement.
    pub measurements: BTreeSet<String>,
    /// Whether machines that their owner may look into are accepted.
    pub allow_debug: bool,
    /// TDX and SEV-SNP: guests that another machine may take over while they run.
    pub allow_migration: bool,
    /// App Attest: keys of applications that are not from the store.
    pub allow_development: bool,
    /// Whether a device must have booted what its vendor signed.
    pub require_verified_boot: bool,
    /// Android: keys in a StrongBox only.
    pub require_strongbox: bool,
    /// Refuse claims that answer no challenge.
    pub require_bound: bool,
    /// A grant ends after this many seconds, if the evidence does not end before.
    pub seconds_max: u64,
}

/// What a policy granted: this is what a chain or a scheduler acts on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// Which kind of evidence it was.
    pub technology: Technology,
    /// What kind of machine stands behind it.
    pub class: Class,
    /// What runs.
    #[serde(with = "hex::serde")]
    pub measurement: Vec<u8>,
    /// Names the physical platform; empty if the evidence names none.
    #[serde(with = "hex::serde")]
    pub platform: Vec<u8>,
    /// The last second it holds.
    pub until: UnixSeconds,
}

impl Policy {
    /// Hardware only, up to date, no debugging, answers a challenge; one day.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            classes: [
                Class::ConfidentialVm,
                Class::ConfidentialProcess,
                Class::DeviceBoundKey,
                Class::MeasuredBoot,
            ]
            .into(),
            technologies: BTreeSet::new(),
            tcb_statuses: [TcbStatus::UpToDate, TcbStatus::SWHardeningNeeded, TcbStatus::Unrated]
                .into(),
            refused_advisories: BTreeSet::new(),
            measurements: BTreeSet::new(),
            allow_debug: false,
            allow_migration: false,
            allow_development: false,
            require_verified_boot: true,
            require_strongbox: false,
            require_bound: true,
            seconds_max: 24 * 3600,
        }
    }

    /// To look at evidence of any age: everything that verifies, except debug modes.
    #[must_use]
    pub fn inspection() -> Self {
        let strict = Self::strict();
        Self {
            classes: strict.classes.iter().copied().chain([Class::Simulated]).collect(),
            tcb_statuses: [
                TcbStatus::UpToDate,
                TcbStatus::SWHardeningNeeded,
                TcbStatus::ConfigurationNeeded,
                TcbStatus::ConfigurationAndSWHardeningNeeded,
                TcbStatus::OutOfDate,
                TcbStatus::OutOfDateConfigurationNeeded,
                TcbStatus::TDRelaunchAdvised,
                TcbStatus::TDRelaunchAdvisedConfigurationNeeded,
                TcbStatus::Unrated,
            ]
            .into(),
            allow_migration: true,
            require_verified_boot: false,
            require_bound: false,
            ..strict
        }
    }

    /// Are these claims good enough, at `now`?
    ///
    /// # Errors
    /// The first rule of this policy that they break.
    pub fn appraise(&self, claims: &Claims, now: UnixSeconds) -> Result<Grant, Reject> {
        if now < claims.validity().not_before {
            return Err(Reject::NotYetValid { what: "the evidence".into() });
        }
        if claims.validity().not_after < now {
            return Err(Reject::Expired { what: "the evidence".into() });
        }
        if !self.classes.contains(&claims.class()) {
            return Err(Reject::ClassNotAccepted { class: claims.class() });
        }
        if !self.technologies.is_empty() && !self.technologies.contains(&claims.technology()) {
            return Err(Reject::TechnologyNotAccepted { technology: claims.technology() });
        }
        self.appraise_device(claims)?;
        if !self.tcb_statuses.contains(&claims.tcb_status()) {
            return Err(Reject::TcbNotAccepted { status: claims.tcb_status() });
        }
        if let Some(id) =
            claims.advisories().iter().find(|id| self.refused_advisories.contains(*id))
        {
            return Err(Reject::AdvisoryNotAccepted { id: id.clone() });
        }
        let measurement = hex::encode(claims.measurement());
        if !self.measurements.is_empty() && !self.measurements.contains(&measurement) {
            return Err(Reject::MeasurementNotAllowed { measurement });
        }
        if self.require_bound && !claims.is_bound() {
            return Err(Reject::Unbound);
        }
        let until = now.get().saturating_add(self.seconds_max);
        Ok(Grant {
            technology: claims.technology(),
            class: claims.class(),
            measurement: claims.measurement().to_vec(),
            platform: claims.platform().to_vec(),
            until: UnixSeconds::new(until.min(claims.validity().not_after.get())),
        })
    }

    /// What policies ask of debug modes and phones.
    fn appraise_device(&self, claims: &Claims) -> Result<(), Reject> {
        // Apple signs keys of applications under development, too: anyone can be their author.
        let development =
            self.allow_development && claims.technology() == Technology::AppleAppAttest;
        if claims.is_debug() && !self.allow_debug && !development {
            return Err(Reject::Debug);
        }
        if claims.is_migratable() && !self.allow_migration {
            return Err(Reject::Migratable);
        }
        if self.require_verified_boot && claims.boot() == BootState::Unverified {
            return Err(Reject::Unlocked);
        }
        match claims.details() {
            Details::Android(key)
                if self.require_strongbox && key.security_level != SecurityLevel::StrongBox =>
            {
                Err(Reject::SoftwareKey)
            }
            _ => Ok(()),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::strict()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Psa, Validity};

    /// No evidence at hand is of such a guest, and nobody but a vendor signs some: so claims are made here.
    #[test]
    fn guests_that_may_move_are_refused_unless_allowed() {
        let details = Details::Psa(Psa {
            profile: String::new(),
            challenge: String::new(),
            instance_id: String::new(),
            implementation_id: String::new(),
            lifecycle: 0,
            client_id: 0,
            sw: Vec::new(),
        });
        let validity =
            Validity { not_before: UnixSeconds::new(0), not_after: UnixSeconds::new(100) };
        let root = (String::new(), Class::ConfidentialVm);
        let mut claims = Claims::new(Technology::AmdSevSnp, root, &[], validity, details);
        let judged = |claims: &Claims, allow_migration| {
            let policy = Policy { allow_migration, require_bound: false, ..Policy::strict() };
            policy.appraise(claims, UnixSeconds::new(50)).map(|_| ()).map_err(|why| why.code())
        };
        assert_eq!(judged(&claims, false), Ok(()));
        claims.migratable = true;
        assert_eq!(judged(&claims, false), Err("migratable"));
        assert_eq!(judged(&claims, true), Ok(()));
    }
}
