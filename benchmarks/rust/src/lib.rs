//! What the programs share: the actor that speaks the lines of `src/actor/protocol.ts`.

mod actor;
mod clock;
mod scatter;

pub use actor::{Permit, Pool, UNNUMBERED, act};
