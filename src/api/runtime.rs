//! What belongs to one environment of Node: a reactor, the classes `Process` and `Channel`, and the parts of Node that
//! channels use.

use std::cell::{OnceCell, RefCell};
use std::io;
use std::rc::Rc;

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object, ObjectRef};
use napi::{Env, Result, Unknown, sys as sys_napi};
use napi_derive::napi;

use super::channel::{self, Node};
use super::process;
use crate::engine::{self, Held};
use crate::launch::inherited;
use crate::options::Context;
use crate::reactor::{self, Reactor};

/// What an environment needs as soon as it has loaded the addon.
struct Loaded {
    /// The class `Process`.
    process: Held,
    /// The class `Channel`.
    channel: Held,
    /// `Object.keys`.
    keys: Held,
}

/// One for each environment that has loaded the addon, with `loaded`; and one for each copy of `lib/` in it, with
/// `hooks`. There may be several environments on one thread.
pub(super) struct Runtime {
    env: sys_napi::napi_env,
    reactor: OnceCell<Rc<Reactor>>,
    loaded: Option<Loaded>,
    /// What `open` was given.
    hooks: Option<ObjectRef<false>>,
    /// The parts of Node that channels use, once there has been a channel.
    channel_node: OnceCell<Rc<Node>>,
}

impl Runtime {
    /// The reactor, created with the first process. The copies of `lib/` in one environment share it.
    pub(super) fn reactor(&self, env: &Env) -> io::Result<Rc<Reactor>> {
        if let Some(reactor) = self.reactor.get() {
            return Ok(Rc::clone(reactor));
        }
        inherited::note();
        let shared = RUNTIMES.with_borrow(|runtimes| {
            let mut others = runtimes.iter().flatten().filter(|other| other.env == self.env);
            others.find_map(|other| other.reactor.get().cloned())
        });
        let reactor = match shared {
            Some(reactor) => reactor,
            None => Reactor::new(env)?,
        };
        Ok(Rc::clone(self.reactor.get_or_init(|| reactor)))
    }

    /// The class `Process`.
    pub(super) fn process_class(&self) -> Result<&Held> {
        self.loaded().map(|loaded| &loaded.process)
    }

    /// The class `Channel`.
    pub(super) fn channel_class(&self) -> Result<&Held> {
        self.loaded().map(|loaded| &loaded.channel)
    }

    fn loaded(&self) -> Result<&Loaded> {
        self.loaded.as_ref().ok_or_else(not_loaded)
    }

    /// The parts of Node that channels use, the same for all of them.
    pub(super) fn channel_node(&self, env: &Env) -> Result<Rc<Node>> {
        if let Some(node) = self.channel_node.get() {
            return Ok(Rc::clone(node));
        }
        let hooks = self.hooks.as_ref().ok_or_else(not_loaded)?.get_value(env)?;
        let node = Rc::new(Node::new(env, &hooks)?);
        Ok(Rc::clone(self.channel_node.get_or_init(|| node)))
    }

    fn new(env: &Env, loaded: Option<Loaded>, hooks: Option<ObjectRef<false>>) -> Self {
        let (reactor, channel_node) = Default::default();
        Self { env: env.raw(), reactor, loaded, hooks, channel_node }
    }
}

thread_local! {
    /// The runtimes of this thread. JavaScript names a runtime by its index here: a number costs a call a tenth of what
    /// an object of a native class would.
    static RUNTIMES: RefCell<Vec<Option<Rc<Runtime>>>> = const { RefCell::new(vec![]) };
}

/// The runtime of an environment.
pub(super) fn of(env: &Env) -> Result<Rc<Runtime>> {
    let found = RUNTIMES.with_borrow(|runtimes| {
        runtimes.iter().flatten().find(|runtime| runtime.env == env.raw()).map(Rc::clone)
    });
    found.ok_or_else(not_loaded)
}

/// What conversions need, with the hooks of `host`.
pub(super) fn context<'a>(env: &'a Env, host: Option<Object<'a>>) -> Result<Context<'a>> {
    let keys = of(env)?.loaded()?.keys.get(env)?;
    Ok(Context::of(env, host).listing_by(keys))
}

/// The runtime with this number.
pub(super) fn numbered(number: u32) -> Result<Rc<Runtime>> {
    RUNTIMES.with_borrow(|runtimes| runtimes.get(number as usize).cloned().flatten()).ok_or_else(not_loaded)
}

fn not_loaded() -> napi::Error {
    napi::Error::from_reason("child-process-rs: its environment is gone")
}

fn add(runtime: Runtime) -> u32 {
    RUNTIMES.with_borrow_mut(|runtimes| {
        runtimes.push(Some(Rc::new(runtime)));
        u32::try_from(runtimes.len() - 1).unwrap_or(u32::MAX)
    })
}

/// Called when an environment has loaded the addon.
#[napi(module_exports, catch_unwind)]
pub fn loaded(mut exports: Object, env: Env) -> Result<()> {
    let (process, channel) = (process::class(&env)?, channel::class(&env)?);
    exports.set_c_named_property(c"Process", process)?;
    exports.set_c_named_property(c"Channel", channel)?;
    let object = engine::property(&env, &env.get_global()?.to_unknown(), c"Object")?;
    let keys = engine::property(&env, &object, c"keys")?;
    let [process, channel, keys] = [process, channel, keys].map(|value| Held::new(&env, &value));
    add(Runtime::new(&env, Some(Loaded { process: process?, channel: channel?, keys: keys? }), None));
    env.add_env_cleanup_hook(env.raw() as usize, close)?;
    Ok(())
}

/// Registers a copy of `lib/`. Returns its number, which the functions that open channels take. `hooks`: the functions
/// of `lib/common/errors.js`, and as `node` the parts of Node that channels use.
#[napi(catch_unwind)]
pub fn open(env: &Env, hooks: ObjectRef<false>) -> u32 {
    inherited::note();
    add(Runtime::new(env, None, Some(hooks)))
}

/// The version of the package to which this binary belongs.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// Records which descriptors this process has inherited, because children inherit these, too. Must be called before other
/// code opens descriptors without close-on-exec.
#[napi(catch_unwind)]
pub fn note_inherited() {
    inherited::note();
}

/// Whether this is the main thread and not a Worker.
#[napi(catch_unwind)]
pub fn is_main_thread(env: &Env) -> bool {
    reactor::is_main(env)
}

/// Forgets the runtimes of an environment that goes away.
fn close(env: usize) {
    // A panic cannot be reported to JavaScript here. Its message is on stderr already.
    let _ = engine::caught(|| {
        let of_env = |runtime: &mut Rc<Runtime>| runtime.env as usize == env;
        let gone: Vec<_> = RUNTIMES
            .with_borrow_mut(|runtimes| runtimes.iter_mut().map(|slot| slot.take_if(of_env)).collect());
        // Dropped outside of the borrow, because their destructors may access the list.
        drop(gone);
    });
}

/// Passes what a listener has thrown to `uncaughtException`. The caller must throw it once more, to end the call from
/// native code, which then does not report it again.
#[napi(catch_unwind)]
pub fn report_uncaught(env: &Env, error: Unknown) -> Result<()> {
    reactor::report_uncaught(env, &error)
}
