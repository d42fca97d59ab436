//! The outputs of a process that are gathered rather than streamed.

use std::io;
use std::rc::Rc;

use napi::Env;

use super::super::output::Output;
use super::Child;
use crate::collect::Gathered;
use crate::engine;
use crate::reactor::Source;

impl Child {
    /// Gathers the output `index` from here on, at most `limit` bytes.
    pub fn collect(self: &Rc<Self>, index: u32, limit: u64) -> io::Result<()> {
        let Some(end) = self.take_end(index as usize) else {
            return Ok(());
        };
        let output = Output::start(&self.reactor, end, limit, self.output_source(index))?;
        self.outputs.borrow_mut().insert(index, Rc::new(output));
        self.update_retention();
        Ok(())
    }

    pub(super) fn output_source(self: &Rc<Self>, index: u32) -> Rc<dyn Source> {
        Rc::new(OutputSource(Rc::clone(self), index))
    }

    fn output(&self, index: u32) -> Option<Rc<Output>> {
        self.outputs.borrow().get(&index).cloned()
    }

    /// What an output has gathered, which JavaScript has from now on; its pipe, if not at its end, is the end
    /// of a stream again.
    pub fn take_output(&self, index: u32) -> Option<Gathered> {
        let output = self.outputs.borrow_mut().remove(&index)?;
        let mut gathered = output.take();
        if let Some(slot) = self.ends.borrow_mut().get_mut(index as usize) {
            *slot = gathered.fd.take();
        }
        self.update_retention();
        Some(gathered)
    }

    /// How many bytes the output `index` had before its last read.
    pub fn before_last_read(&self, index: u32) -> usize {
        self.output(index).map_or(0, |output| output.before_last_read())
    }

    /// Whether the output `index` will bring more.
    pub fn is_collecting(&self, index: u32) -> bool {
        self.output(index).is_some_and(|output| !output.is_over())
    }

    /// Stops gathering; what came is kept.
    pub fn close_outputs(&self) {
        let outputs: Vec<_> = self.outputs.borrow().values().cloned().collect();
        for output in outputs {
            output.close();
        }
        self.update_retention();
    }

    /// An output may have come, or come to its end.
    fn poll_output(self: &Rc<Self>, env: &Env, index: u32) {
        let Some(output) = self.output(index).filter(|output| !output.is_over()) else {
            return;
        };
        // What it writes proves that its exec succeeded.
        self.poll_exec();
        output.advance(|| self.output_source(index));
        if output.is_over() {
            self.update_retention();
            self.tell_output(env, index, &output);
            self.let_go();
        }
    }

    pub(super) fn tell_output(&self, env: &Env, index: u32, output: &Output) {
        let told = || {
            let errno = match output.error() {
                Some(errno) => engine::number(env, -f64::from(errno))?,
                None => engine::undefined(env)?,
            };
            let is_over_limit = engine::boolean(env, output.is_over_limit())?;
            self.tell(c"onoutput", &[engine::number(env, f64::from(index))?, is_over_limit, errno])
        };
        let _: napi::Result<()> = told();
    }
}

/// Waits for an output that is gathered.
struct OutputSource(Rc<Child>, u32);

impl Source for OutputSource {
    fn ready(&self, env: &Env, _is_over: bool) {
        self.0.poll_output(env, self.1);
    }

    fn shut_down(&self) {
        self.0.shut_down();
    }
}
