//! The functions that JavaScript calls for every message. They are created once for all channels, because creating
//! one takes tens of microseconds in a fresh process. They take a channel's number, which costs less to read than an
//! object of its class.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use napi::{Env, Error, Result};

use super::Channel;
use super::sending::Request;
use crate::engine::{self, Call, Held};

/// The channels, by number.
#[derive(Default)]
pub(super) struct Numbered(RefCell<Vec<Weak<Channel>>>);

impl Numbered {
    /// Gives a channel a number. The number of a channel that is gone may be reused.
    pub fn add(&self, channel: &Rc<Channel>) -> u32 {
        let mut channels = self.0.borrow_mut();
        let free = channels.iter().position(|other| other.strong_count() == 0);
        let number = free.unwrap_or_else(|| {
            channels.push(Weak::new());
            channels.len() - 1
        });
        channels[number] = Rc::downgrade(channel);
        number as u32
    }

    /// The channel whose number is the first argument of a call.
    fn of<const N: usize>(&self, env: &Env, call: &Call<N>) -> Result<Rc<Channel>> {
        let number = call.arguments.first().map_or(Ok(-1.0), |number| engine::to_f64(env, number))?;
        let found = self.0.borrow().get(number as usize).and_then(Weak::upgrade);
        found.ok_or_else(|| Error::from_reason("child-process-rs: there is no such channel"))
    }
}

pub(super) struct Functions {
    /// `sendValue(number, message, isSilent, callback)`: see `Channel` in `native.d.ts`.
    pub send_value: Held,
    /// `sendPrepared(number, message, isSilent, callback)`: see `Channel` in `native.d.ts`.
    pub send_prepared: Held,
    /// `endTick(number, disconnects)`: see `Channel` in `native.d.ts`.
    pub end_tick: Held,
}

impl Functions {
    pub fn new(env: &Env, channels: &Rc<Numbered>) -> Result<Self> {
        let (of_value, of_prepared, of_tick) =
            (Rc::clone(channels), Rc::clone(channels), Rc::clone(channels));
        let send_value = engine::function(env, move |env, call| {
            of_value.of(env, call)?.send_value(env, &call.arguments[1], request(env, call)?)
        })?;
        let send_prepared = engine::function(env, move |env, call| {
            of_prepared.of(env, call)?.send_prepared(env, &call.arguments[1], request(env, call)?)
        })?;
        let end_tick = engine::function(env, move |env, call: &Call<2>| {
            let disconnects = engine::is_truthy(&call.arguments[1])?;
            of_tick.of(env, call)?.end_tick(env, disconnects);
            Ok(None)
        })?;
        Ok(Self {
            send_value: Held::new(env, &send_value)?,
            send_prepared: Held::new(env, &send_prepared)?,
            end_tick: Held::new(env, &end_tick)?,
        })
    }
}

fn request<'a>(env: &Env, call: &Call<'a, 4>) -> Result<Request<'a>> {
    let [_, _, is_silent, callback] = call.arguments;
    let is_awaited = call.count == call.arguments.len() && engine::is_function(&callback)?;
    Ok(Request {
        callback: is_awaited.then_some(callback),
        is_silent: engine::to_bool(env, &is_silent).unwrap_or(false),
        keeps_open: false,
    })
}
