//! Counting: each function of a module learns to count its own work.
//!
//! The count is a global of the module: the fuel that is left. A function notes its work in a local,
//! by the *piece*, which is the operators between two points where control may come in or go out.
//! It takes the note off the global before control leaves the function (a call, a throw,
//! `unreachable`, and once at its end, where all returns meet), and in loops when the note has grown
//! beyond [`meter::CREDIT`].
//!
//! ```text
//!   loop                     loop
//!     i32.load                 note += 3; if note > CREDIT { fuel -= note; note = 0; stop if fuel < 0 }
//!     br_if 1                  i32.load ... br_if 1
//!     call $f          =>      fuel -= note + 1; note = 0; stop if fuel < 0
//!     br 0                     call $f
//!                              note += 1
//!                              br 0
//! ```
//!
//! So the count is exact wherever a run may end but after a fault (such as a division by zero), where
//! it lacks at most the last [`meter::CREDIT`] units and the code since the last turn of a loop. It
//! is the same on every machine, because it is part of what the module computes.

use crate::meter;
use wasmparser::{
    BinaryReader, FuncType, FunctionBody, Operator, OperatorsReader, RefType, ValType,
};

const I32: u8 = 0x7f;
const I64: u8 = 0x7e;

/// Where the count of a module lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count {
    /// The global that holds the fuel left.
    pub(crate) global: u32,
}

/// How control comes to a piece.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Enter {
    /// With an empty note: into the function, or back from a call.
    Fresh,
    /// Over and over.
    Loop,
    /// From one of several places in this function.
    Here,
    /// Not at all.
    Never,
}

/// How control leaves the function in a piece, if it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Leave {
    Not,
    /// For good, or back to where it came from, which will look at the count.
    Back,
    /// To a function that could come back here: look at the count first.
    On,
}

/// One function being rewritten.
struct Writer<'a> {
    module: &'a [u8],
    out: Vec<u8>,
    count: Count,
    /// The local that holds the note.
    note: u32,
    /// The type of a block around the body, at whose end all returns meet. A function with several
    /// results has none.
    around: Option<u8>,
    bulk: bool,
    enter: Enter,
    /// Where the piece starts, in the module.
    from: usize,
    cost: u64,
    leave: Leave,
    /// Where each piece begins: in `out`, and in the module.
    pieces: Vec<(usize, usize)>,
}

impl Count {
    /// The body `body` of a function of type `ty`, counting, without its size.
    pub(crate) fn body(self, module: &[u8], body: &FunctionBody<'_>, ty: &FuncType) -> Vec<u8> {
        self.written(module, body, ty).0
    }

    /// Which byte of `module` the byte at `offset` of the counting body stands for.
    pub(crate) fn original_offset(
        self,
        module: &[u8],
        body: &FunctionBody<'_>,
        ty: &FuncType,
        offset: usize,
    ) -> usize {
        let (_, pieces) = self.written(module, body, ty);
        let at = pieces.partition_point(|(new, _)| *new <= offset);
        let next = pieces.get(at).map_or(body.range().end, |(_, old)| *old);
        // What was put in stands for the piece that it pays for.
        at.checked_sub(1).map_or(next, |last| {
            let (new, old) = pieces[last];
            (old + offset - new).min(next)
        })
    }

    fn written(
        self,
        module: &[u8],
        body: &FunctionBody<'_>,
        ty: &FuncType,
    ) -> (Vec<u8>, Vec<(usize, usize)>) {
        let (groups, declared, declarations) = locals(module, body);
        let note = (ty.params().len() as u32).saturating_add(declared);
        let operators = body.get_operators_reader().expect("the module is valid");
        let around = block_type(ty.results());
        let mut writer = Writer::new(module, self, note, around, operators.original_position());
        if let Some(around) = around {
            writer.out.extend_from_slice(&[0x02, around]); // block
        }
        writer.walk(operators);
        if around.is_some() {
            writer.settle(Enter::Here);
            writer.out.push(0x0b); // end
        }

        let mut out = Vec::with_capacity(writer.out.len() + declarations.len() + 8);
        leb(&mut out, u64::from(groups) + 1 + u64::from(writer.bulk));
        out.extend_from_slice(declarations);
        out.extend_from_slice(&[1, I64]);
        if writer.bulk {
            out.extend_from_slice(&[1, I32]);
        }
        let shift = out.len();
        out.extend_from_slice(&writer.out);
        let pieces = writer.pieces.into_iter().map(|(new, old)| (new + shift, old)).collect();
        (out, pieces)
    }
}

/// How many groups of locals a body declares, how many locals those are, and their bytes.
fn locals<'a>(module: &'a [u8], body: &FunctionBody<'_>) -> (u32, u32, &'a [u8]) {
    let mut reader = body.get_locals_reader().expect("the module is valid");
    let groups = reader.get_count();
    let from = reader.original_position();
    let mut declared = 0u32;
    for _ in 0..groups {
        declared = declared.saturating_add(reader.read().expect("the module is valid").0);
    }
    (groups, declared, &module[from..reader.original_position()])
}

impl<'a> Writer<'a> {
    fn new(module: &'a [u8], count: Count, note: u32, around: Option<u8>, from: usize) -> Self {
        Self {
            module,
            out: vec![],
            count,
            note,
            around,
            bulk: false,
            enter: Enter::Fresh,
            from,
            cost: meter::FUNCTION,
            leave: Leave::Not,
            pieces: vec![],
        }
    }

    fn walk(&mut self, mut operators: OperatorsReader<'_>) {
        let (mut depth, mut dead) = (0u32, 0u32);
        while !operators.eof() {
            let at = operators.original_position();
            let operator = operators.read().expect("the module is valid");
            let next = operators.original_position();
            if self.enter == Enter::Never {
                // Only the end of this scope, or its other half, is reached again.
                match operator {
                    Operator::End | Operator::Else if dead == 0 => {}
                    Operator::End => {
                        dead -= 1;
                        continue;
                    }
                    operator => {
                        dead += scope(&operator);
                        continue;
                    }
                }
            }
            self.bulk_price(&operator, at);
            self.cost += meter::operator(&operator);
            if self.around.is_some() && matches!(operator, Operator::Return) {
                self.close(at, Enter::Never);
                self.out.push(0x0c); // br, to the end of the block around everything
                leb(&mut self.out, depth.into());
                self.from = next;
                continue;
            }
            let outermost = if self.around.is_some() { None } else { Some(depth) };
            self.leave = self.leave.max(leave(&operator, outermost));
            if let Some(enter) = behind(&operator) {
                self.close(next, enter);
            }
            depth += scope(&operator);
            if matches!(operator, Operator::End) {
                depth = depth.saturating_sub(1);
            }
        }
    }

    /// What is done in bulk is paid for by its number, which lies on top of the stack.
    fn bulk_price(&mut self, operator: &Operator<'_>, at: usize) {
        let Some(each) = meter::bulk(operator) else { return };
        self.bulk = true;
        self.close(at, Enter::Here);
        let number = self.note + 1;
        self.local_op(0x22, number); // local.tee
        self.global_op(0x23); // global.get
        self.local_op(0x20, number); // local.get
        self.out.push(0xad); // i64.extend_i32_u
        if each != 1 {
            self.constant(each);
            self.out.push(0x7e); // i64.mul
        }
        self.out.push(0x7d); // i64.sub
        self.global_op(0x24); // global.set
        self.leave = Leave::On;
    }

    /// The piece ends before `next`: pay for it, then copy it.
    fn close(&mut self, next: usize, enter: Enter) {
        match (self.enter, self.leave) {
            (Enter::Never, _) => {}
            (from, Leave::Not) => {
                if self.cost > 0 {
                    self.local_op(0x20, self.note);
                    self.constant(self.cost);
                    self.out.push(0x7c); // i64.add
                    self.local_op(0x21, self.note); // local.set
                }
                if from == Enter::Loop {
                    self.settle_if_much();
                }
            }
            (from, leave) => {
                self.settle(from);
                if leave == Leave::On {
                    self.stop_if_out();
                }
            }
        }
        self.pieces.push((self.out.len(), self.from));
        self.out.extend_from_slice(&self.module[self.from..next]);
        (self.from, self.enter, self.cost, self.leave) = (next, enter, 0, Leave::Not);
    }

    /// `fuel -= note + cost; note = 0`
    fn settle(&mut self, from: Enter) {
        let noted = from != Enter::Fresh;
        if !noted && self.cost == 0 {
            return;
        }
        self.global_op(0x23);
        if noted {
            self.local_op(0x20, self.note);
            self.out.push(0x7d); // i64.sub
        }
        if self.cost > 0 {
            self.constant(self.cost);
            self.out.push(0x7d);
        }
        self.global_op(0x24);
        if noted {
            self.constant(0);
            self.local_op(0x21, self.note);
        }
    }

    /// `if note > CREDIT { fuel -= note; note = 0; stop if fuel < 0 }`
    fn settle_if_much(&mut self) {
        self.local_op(0x20, self.note);
        self.constant(meter::CREDIT);
        self.out.extend_from_slice(&[0x55, 0x04, 0x40]); // i64.gt_s, if
        let paid = std::mem::take(&mut self.cost);
        self.settle(Enter::Loop);
        self.cost = paid;
        self.stop_if_out();
        self.out.push(0x0b); // end
    }

    /// `if fuel < 0 { unreachable }`
    fn stop_if_out(&mut self) {
        self.global_op(0x23);
        // i64.const 0, i64.lt_s, if, unreachable, end
        self.out.extend_from_slice(&[0x42, 0, 0x53, 0x04, 0x40, 0x00, 0x0b]);
    }

    fn local_op(&mut self, code: u8, local: u32) {
        self.out.push(code);
        leb(&mut self.out, local.into());
    }

    fn global_op(&mut self, code: u8) {
        self.out.push(code);
        leb(&mut self.out, self.count.global.into());
    }

    fn constant(&mut self, value: u64) {
        self.out.push(0x42); // i64.const
        signed_leb(&mut self.out, i64::try_from(value).unwrap_or(i64::MAX));
    }
}

/// How a block with these results is encoded, if it can be without a type of its own.
fn block_type(results: &[ValType]) -> Option<u8> {
    match results {
        [] => Some(0x40),
        [ValType::I32] => Some(I32),
        [ValType::I64] => Some(I64),
        [ValType::F32] => Some(0x7d),
        [ValType::F64] => Some(0x7c),
        [ValType::V128] => Some(0x7b),
        [ValType::Ref(RefType::FUNCREF)] => Some(0x70),
        [ValType::Ref(RefType::EXNREF)] => Some(0x69),
        _ => None,
    }
}

/// 1 for what opens a scope that an `end` closes.
fn scope(operator: &Operator<'_>) -> u32 {
    u32::from(matches!(
        operator,
        Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::TryTable { .. }
    ))
}

/// How control comes to what is behind this operator, if a new piece starts there.
fn behind(operator: &Operator<'_>) -> Option<Enter> {
    match operator {
        Operator::Loop { .. } => Some(Enter::Loop),
        Operator::If { .. } | Operator::BrIf { .. } => Some(Enter::Here),
        Operator::Else | Operator::End => Some(Enter::Here),
        Operator::Call { .. } | Operator::CallIndirect { .. } => Some(Enter::Fresh),
        Operator::Unreachable
        | Operator::Br { .. }
        | Operator::BrTable { .. }
        | Operator::Return
        | Operator::ReturnCall { .. }
        | Operator::ReturnCallIndirect { .. }
        | Operator::Throw { .. }
        | Operator::ThrowRef => Some(Enter::Never),
        _ => None,
    }
}

/// Whether this operator leaves the function, by calls, ends, or branches to `outermost` if that is
/// the function itself. Faults are not foreseen.
fn leave(operator: &Operator<'_>, outermost: Option<u32>) -> Leave {
    let outermost = |target: u32| match outermost {
        Some(depth) if target >= depth => Leave::Back,
        _ => Leave::Not,
    };
    match operator {
        Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
            outermost(*relative_depth)
        }
        Operator::BrTable { targets } => {
            let all = targets.targets().filter_map(Result::ok).chain([targets.default()]);
            all.map(outermost).max().unwrap_or(Leave::Not)
        }
        Operator::End => outermost(0),
        Operator::Return | Operator::Unreachable => Leave::Back,
        Operator::Call { .. }
        | Operator::CallIndirect { .. }
        | Operator::ReturnCall { .. }
        | Operator::ReturnCallIndirect { .. }
        | Operator::Throw { .. }
        | Operator::ThrowRef => Leave::On,
        _ => Leave::Not,
    }
}

/// Append `value` in as few bytes as hold it.
pub(crate) fn leb(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn signed_leb(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == if byte & 0x40 == 0 { 0 } else { -1 } {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// The number of entries of `section`, and where they begin.
pub(crate) fn split_count(section: &[u8]) -> (u64, &[u8]) {
    let mut reader = BinaryReader::new(section, 0);
    let count = reader.read_var_u32().expect("the module is valid");
    (count.into(), &section[reader.current_position()..])
}
