//! The places at which a process can end or be stopped and leave something behind: tests do that at each of them.

/// After what was done last. `…Entered`: the process has said that an operation runs, and has done nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    ClaimEntered,
    /// The semaphore has given a permit, and no slot was taken for it.
    PermitTaken,
    SlotTaken,
    ReleaseEntered,
    /// The slot is free, and the semaphore does not know.
    ReleaseFreed,
    ReleasePosted,
    /// As above, for the slot of a process that died.
    RepairEntered,
    RepairFreed,
    RepairPosted,
    /// As above, for a slot that is free in an earlier generation.
    AdoptEntered,
    AdoptFreed,
    AdoptPosted,
    /// The next generation's semaphore exists, and nobody knows.
    SemaphoreMade,
    /// The generation was switched, and no slot is free in it yet.
    GenerationSwitched,
    /// The semaphore of the generation before still has its name.
    SlotsAdopted,
    /// What a dead process had begun is settled, and it is still in the list.
    DeadSettled,
}

impl Step {
    pub const ALL: [Self; 16] = [
        Self::ClaimEntered,
        Self::PermitTaken,
        Self::SlotTaken,
        Self::ReleaseEntered,
        Self::ReleaseFreed,
        Self::ReleasePosted,
        Self::RepairEntered,
        Self::RepairFreed,
        Self::RepairPosted,
        Self::AdoptEntered,
        Self::AdoptFreed,
        Self::AdoptPosted,
        Self::SemaphoreMade,
        Self::GenerationSwitched,
        Self::SlotsAdopted,
        Self::DeadSettled,
    ];
}
