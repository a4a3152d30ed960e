//! Sparse convolution of unsigned 8-bit activations with signed 8-bit weights, exact in 32 bits.

use crate::{
    ConvShape, Int8Kernel, KernelError, Parallel,
    block::{BlockedConv, ScratchPool},
    finish::{FinishFns, Requantize, ToFn},
    line::{COLUMNS, Line, padded_rows},
    parallel::{Disjoint, try_run},
    select::Word,
    tap::TapFn,
};

/// Input rows that one piece of work brings into the form of the kernel.
const CHUNK: usize = 1024;

/// Zero points, and what follows the sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantization {
    /// The input value that stands for 0, which a missing neighbour has.
    pub x_zero: u8,
    /// The output value that stands for 0; of no meaning where the output is float.
    pub y_zero: u8,
    /// Whether values below zero become zero.
    pub relu: bool,
    /// The value of `add` that stands for 0.
    pub add_zero: u8,
    /// What one step of `add` is worth, finite.
    pub add_scale: f32,
}

/// A convolution with its weights, packed for the kernel.
///
/// sum = Σ (x − `x_zero`) · w + bias, exact; value = f32(sum) · scale, and with `add` + f32(add − `add_zero`) ·
/// `add_scale`, each operation rounded to nearest, ties to even. The same bits with all kernels and any number of
/// threads.
pub struct Int8Conv {
    shape: ConvShape,
    x_zero: u8,
    rule: Requantize,
    kernel: Int8Kernel,
    tap: TapFn,
    finish: FinishFns,
    weights: Vec<Line>,
    offsets: Option<Vec<Line>>,
    bias: Vec<Line>,
    scale: Vec<f32>,
    pool: ScratchPool,
    /// Input rows in the form of the kernel.
    words: Vec<u32>,
}

impl Int8Conv {
    /// Packs `weights`, rows `tap * inputs + input` of one value for each output channel. `bias`, in steps of the sum,
    /// and `scale`, what a step is worth, have one value for each output channel.
    pub fn new(
        shape: ConvShape,
        weights: &[i8],
        bias: &[i32],
        scale: &[f32],
        quantization: Quantization,
        kernel: Int8Kernel,
    ) -> Result<Self, KernelError> {
        shape.check(weights.len(), &[("b", bias.len()), ("scale", scale.len())])?;
        if let Some(wrong) = scale.iter().find(|scale| !scale.is_finite()) {
            return Err(KernelError::unexpected("scale", "finite values", wrong));
        }
        let Quantization { x_zero, y_zero, relu, add_zero, add_scale } = quantization;
        if !add_scale.is_finite() {
            return Err(KernelError::unexpected("add_scale", "a finite value", add_scale));
        }
        check_sums(shape, weights, bias)?;
        let (tap, finish) = kernel.functions()?;
        // The kernel multiplies x less `shift`; what lacks to x less its zero point is the same for all x.
        let shift = match kernel.word() {
            Word::Unsigned4 => 0,
            Word::Signed4 => 128,
            Word::Wide2 => i32::from(x_zero),
        };
        let lacking = shift - i32::from(x_zero);
        Ok(Self {
            shape,
            x_zero,
            rule: Requantize { add_zero: add_zero.into(), add_scale, y_zero: y_zero.into(), relu },
            kernel,
            tap,
            finish,
            weights: pack(shape, weights, kernel.word()),
            offsets: (lacking != 0).then(|| offsets(shape, weights, lacking)),
            bias: padded_rows(bias, shape.outputs),
            scale: scale.to_vec(),
            pool: ScratchPool::default(),
            words: Vec::new(),
        })
    }

    /// The sizes.
    pub fn shape(&self) -> ConvShape {
        self.shape
    }

    /// Convolves to 8 bits: value rounded, ties to even, plus `y_zero`, within 0 and 255, with ReLU not below
    /// `y_zero`. The tensors are those of [`FloatConv::run`](crate::FloatConv::run).
    pub fn run_to_bytes(
        &mut self,
        x: &[u8],
        table: Option<&[i32]>,
        add: Option<&[u8]>,
        y: &mut [u8],
        parallel: &dyn Parallel,
    ) -> Result<(), KernelError> {
        let finish = self.finish.to_bytes;
        self.run(x, table, add, y, parallel, finish)
    }

    /// Convolves to floats: the values as they are, with ReLU not below 0.
    pub fn run_to_floats(
        &mut self,
        x: &[u8],
        table: Option<&[i32]>,
        add: Option<&[u8]>,
        y: &mut [f32],
        parallel: &dyn Parallel,
    ) -> Result<(), KernelError> {
        let finish = self.finish.to_floats;
        self.run(x, table, add, y, parallel, finish)
    }

    fn run<T: Send>(
        &mut self,
        x: &[u8],
        table: Option<&[i32]>,
        add: Option<&[u8]>,
        y: &mut [T],
        parallel: &dyn Parallel,
        finish: ToFn<T>,
    ) -> Result<(), KernelError> {
        let ConvShape { taps, inputs, outputs } = self.shape;
        let (_, rows) = self.shape.check_run(x.len(), table.map(<[_]>::len), add.map(<[_]>::len), y.len())?;
        let mut buffer = std::mem::take(&mut self.words);
        let x = self.feed(x, &mut buffer, parallel)?;
        let conv = BlockedConv {
            tap: self.tap,
            x,
            words: words_of(self.kernel.word(), inputs),
            weights: &self.weights,
            offsets: self.offsets.as_deref(),
            bias: &self.bias,
            taps,
            table,
            rows,
        };
        let y = Disjoint::new(y);
        let result = conv.run(&self.pool, parallel, |rows, acc| {
            let values = rows.start * outputs..rows.end * outputs;
            // SAFETY: each block has rows of its own.
            let y = unsafe { y.part(values.clone()) };
            let add = add.and_then(|add| add.get(values));
            // SAFETY: chosen together with a kernel that this processor runs.
            unsafe { finish(acc, &self.scale, add, &self.rule, y) }
        });
        self.words = buffer;
        result
    }

    /// The rows of `x` as words, in `buffer` where they are not already.
    fn feed<'a>(
        &self,
        x: &'a [u8],
        buffer: &'a mut Vec<u32>,
        parallel: &dyn Parallel,
    ) -> Result<&'a [u8], KernelError> {
        let (word, inputs) = (self.kernel.word(), self.shape.inputs);
        if word == Word::Unsigned4 && inputs.is_multiple_of(4) {
            return Ok(x);
        }
        let (words, rows) = (words_of(word, inputs), x.len() / inputs);
        buffer.resize(rows * words, 0);
        let output = Disjoint::new(buffer);
        let zero = i16::from(self.x_zero);
        try_run(parallel, rows.div_ceil(CHUNK), |chunk| {
            let first = chunk * CHUNK;
            // SAFETY: each chunk of rows has its own part.
            let output = unsafe { output.part(first * words..(first + CHUNK) * words) };
            let rows = x.chunks_exact(inputs).skip(first);
            // What is beyond the last channel meets weights of zero.
            for (x, output) in rows.zip(output.chunks_exact_mut(words)) {
                match word {
                    Word::Unsigned4 => bytemuck::cast_slice_mut(output)[..inputs].copy_from_slice(x),
                    Word::Signed4 => {
                        for (to, x) in bytemuck::cast_slice_mut::<_, u8>(output).iter_mut().zip(x) {
                            *to = x ^ 0x80;
                        }
                    }
                    Word::Wide2 => {
                        for (to, x) in bytemuck::cast_slice_mut::<_, i16>(output).iter_mut().zip(x) {
                            *to = i16::from(*x) - zero;
                        }
                    }
                }
            }
            Ok(())
        })?;
        Ok(bytemuck::cast_slice(buffer))
    }
}

/// Words of a row of `inputs` channels.
fn words_of(word: Word, inputs: usize) -> usize {
    match word {
        Word::Unsigned4 | Word::Signed4 => inputs.div_ceil(4),
        Word::Wide2 => inputs.div_ceil(2),
    }
}

/// Refuses weights with which a sum could leave 32 bits.
fn check_sums(shape: ConvShape, weights: &[i8], bias: &[i32]) -> Result<(), KernelError> {
    let mut most: Vec<i64> = bias.iter().map(|bias| i64::from(*bias).abs()).collect();
    for row in weights.chunks_exact(shape.outputs) {
        for (most, w) in most.iter_mut().zip(row) {
            *most += i64::from(*w).abs() * 255;
        }
    }
    match most.iter().find(|most| **most > i64::from(i32::MAX)) {
        Some(most) => Err(KernelError::unexpected(
            "w and b",
            format!("sums of at most {}, which 32 bits hold", i32::MAX),
            format!("{most} for the largest inputs"),
        )),
        None => Ok(()),
    }
}

/// Weights as lines for each tap, word and panel: in a line the channels of a word side by side for each column.
fn pack(shape: ConvShape, weights: &[i8], word: Word) -> Vec<Line> {
    let (words, panels) = (words_of(word, shape.inputs), shape.panels());
    let mut lines = vec![Line::ZERO; shape.taps * words * panels];
    for (row, values) in weights.chunks_exact(shape.outputs).enumerate() {
        let (tap, input) = (row / shape.inputs, row % shape.inputs);
        for (column, w) in values.iter().enumerate() {
            let line = |at: usize| (tap * words + at) * panels + column / COLUMNS;
            let column = column % COLUMNS;
            match word {
                Word::Unsigned4 | Word::Signed4 => {
                    let line: &mut [i8] = bytemuck::cast_slice_mut(&mut lines[line(input / 4)].0);
                    line[column * 4 + input % 4] = *w;
                }
                Word::Wide2 => {
                    let line: &mut [i16] = bytemuck::cast_slice_mut(&mut lines[line(input / 2)].0);
                    line[column * 2 + input % 2] = i16::from(*w);
                }
            }
        }
    }
    lines
}

/// For each tap and output channel the sum of the weights times `lacking`.
fn offsets(shape: ConvShape, weights: &[i8], lacking: i32) -> Vec<Line> {
    let mut sums = vec![0_i32; shape.taps * shape.outputs];
    for (row, values) in weights.chunks_exact(shape.outputs).enumerate() {
        let start = row / shape.inputs * shape.outputs;
        for (sum, w) in sums[start..].iter_mut().zip(values) {
            // Adding up in 32 bits comes round to the exact sum whatever is between.
            *sum = sum.wrapping_add(i32::from(*w) * lacking);
        }
    }
    padded_rows(&sums, shape.outputs)
}
