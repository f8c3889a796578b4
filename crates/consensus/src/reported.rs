//! An application whose reports go to one more listener: the library gives each term's engine one application only.

use commonware_actor::Feedback;
use commonware_consensus::{
    Automaton, CertifiableAutomaton, Handoff, Relay, Reporter, types::Round,
};
use commonware_utils::channel::oneshot;
use std::future::Future;

#[derive(Clone)]
pub(crate) struct Reported<A, L> {
    pub(crate) inner: A,
    pub(crate) listener: L,
}

impl<A: Automaton, L: Clone + Send + 'static> Automaton for Reported<A, L> {
    type Context = A::Context;
    type Digest = A::Digest;

    fn propose(
        &mut self,
        context: Self::Context,
    ) -> impl Future<Output = oneshot::Receiver<Self::Digest>> + Send {
        self.inner.propose(context)
    }

    fn verify(
        &mut self,
        context: Self::Context,
        payload: Self::Digest,
    ) -> impl Future<Output = oneshot::Receiver<bool>> + Send {
        self.inner.verify(context, payload)
    }
}

impl<A: CertifiableAutomaton, L: Clone + Send + 'static> CertifiableAutomaton for Reported<A, L> {
    fn prepare(
        &mut self,
        context: Self::Context,
    ) -> impl Future<Output = oneshot::Receiver<Handoff<Self::Digest>>> + Send {
        self.inner.prepare(context)
    }

    fn certify(
        &mut self,
        round: Round,
        payload: Self::Digest,
    ) -> impl Future<Output = oneshot::Receiver<bool>> + Send {
        self.inner.certify(round, payload)
    }
}

impl<A: Relay, L: Clone + Send + 'static> Relay for Reported<A, L> {
    type Digest = A::Digest;
    type PublicKey = A::PublicKey;
    type Plan = A::Plan;

    fn broadcast(&mut self, payload: Self::Digest, plan: Self::Plan) -> Feedback {
        self.inner.broadcast(payload, plan)
    }
}

impl<A, L> Reporter for Reported<A, L>
where
    A: Reporter<Activity: Clone>,
    L: Reporter<Activity = A::Activity>,
{
    type Activity = A::Activity;

    fn report(&mut self, activity: Self::Activity) -> Feedback {
        self.listener.report(activity.clone());
        self.inner.report(activity)
    }
}
