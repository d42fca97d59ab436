//! The channel's parts one by one, without Node. What they must equal was written by Node: `JSON.stringify`,
//! `v8.serialize`.

mod ancillary;
mod counting;
mod handles;
mod inbox;
mod internal;
mod json;
mod missing;
mod outbox;
mod peer;
mod reader;
mod shared;
mod spin;
mod v8;
mod word;
mod writer;
