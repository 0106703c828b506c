"""Many int8 dot products at once, compared with thresholds where they are made.

  tile      dot products of ROWS rows with COLUMNS columns; says which exceed a threshold
  LANES     columns a register holds; 0 where the processor has no such instruction

The instruction is VNNI's `vpdpbusd`, reached through LLVM as numba does everything else: compiled
for this processor on first use, kept in numba's cache, nothing to install. The products never reach
memory, only one bit each, and that is why this is five times as fast as a float32 matrix product.

Dimensions come in blocks of BLOCK, and after a block the rest can add no more than the product of
what is left of both lengths. If that lifts no sum above a threshold, the tile ends there.
"""

from functools import reduce
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

REGISTERS = 2  # of columns
GROUP = 4  # bytes the instruction multiplies and adds per lane
BLOCK = 64  # dimensions
GROUPS = BLOCK // GROUP
ROW_WORDS = GROUPS + 2
"""Words a block of a row takes: its codes, what undoes the columns' 128, what is left after it."""
COLUMN_WORDS = GROUPS + 1
"""Words a block of a column takes: its codes, and what is left after it."""


def _shape() -> tuple[int, int]:
    """Return lanes and rows, so that sums, columns and a row just fill the registers."""
    features = llvmlite.binding.get_host_cpu_features()
    if features.get("avx512vnni"):
        return 16, 12  # 32 registers
    if features.get("avxvnni"):
        return 8, 6  # 16 registers
    return 0, 12


LANES, ROWS = _shape()
COLUMNS = REGISTERS * LANES


@intrinsic  # type: ignore[untyped-decorator]
def tile(
    typing_context: Any,
    rows: Any,
    stride: Any,
    columns: Any,
    blocks: Any,
    first: Any,
    factors: Any,
    row_limits: Any,
    column_limits: Any,
    found: Any,
) -> Any:
    """Mark the dot products above the limit of their row or of their column.

    All arguments are addresses or counts, intp. `rows`: ROWS rows, `stride` bytes apart, each of
    `blocks` blocks: int8 (BLOCK,), int32 offset, int32 rest. `columns`: `blocks` blocks: uint8
    (GROUPS, COLUMNS, GROUP), int32 rest (COLUMNS,). `first`: after how many blocks to look first
    whether the tile can end. `factors`: int32 (2, blocks), what a sum is multiplied by after each
    block, and from there to the end. `row_limits`, `column_limits`: int32. `found`: uint16 (ROWS,
    REGISTERS), one bit per column.

    Returns a positive number if any is marked; else minus the blocks that were multiplied.
    """
    signature = types.int32(*[types.intp] * 9)
    return signature, _build_tile


def _build_tile(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return _Tile(builder, args).build()


class _Tile:
    """The loop over blocks, with a way out after each of them."""

    def __init__(self, builder: Any, args: Any) -> None:
        self.builder = builder
        self.wide = wide = _Wide(builder)
        rows, stride, self.columns, self.blocks, self.first, self.factors, *rest = args
        self.row_limits, self.column_limits, self.found = rest
        self.bases = [builder.add(rows, wide.times(stride, r)) for r in range(ROWS)]
        self.cells = [(r, c) for r in range(ROWS) for c in range(REGISTERS)]

    def build(self) -> Any:
        builder, wide = self.builder, self.wide
        before = builder.block
        block, product, check, look, onward, last, done = map(
            builder.append_basic_block,
            ("block", "product", "check", "look", "onward", "last", "done"),
        )
        builder.branch(block)

        builder.position_at_end(block)
        index = builder.phi(wide.word)
        index.add_incoming(wide.number(0), before)
        held = [builder.phi(wide.vector) for _ in self.cells]
        rows = [builder.add(base, wide.times(index, GROUP * ROW_WORDS)) for base in self.bases]
        columns = builder.add(self.columns, wide.times(index, GROUP * COLUMN_WORDS * COLUMNS))
        offsets = [wide.fill(wide.at(row, BLOCK)) for row in rows]
        starts = [builder.add(s, offsets[r]) for s, (r, _) in zip(held, self.cells, strict=True)]
        sums = self.multiply(starts, rows, columns, (block, product))
        following = builder.add(index, wide.number(1))
        spent = builder.trunc(builder.sub(wide.number(0), following), ir.IntType(32))
        builder.cbranch(builder.icmp_signed("==", following, self.blocks), last, check)

        builder.position_at_end(check)
        builder.cbranch(builder.icmp_signed(">=", following, self.first), look, onward)

        builder.position_at_end(look)
        builder.cbranch(self.possible(sums, rows, columns, index), onward, done)

        builder.position_at_end(onward)
        factor = wide.fill(wide.at(builder.add(self.factors, wide.times(index, 4)), 0))
        index.add_incoming(following, onward)
        for phi, s in zip(held, sums, strict=True):
            phi.add_incoming(ir.Constant(wide.vector, [0] * LANES), before)
            phi.add_incoming(builder.mul(s, factor), onward)
        builder.branch(block)

        builder.position_at_end(last)
        seen = self.mark(sums)
        none = builder.icmp_signed("==", seen, ir.Constant(ir.IntType(32), 0))
        marked = builder.select(none, spent, seen)
        builder.branch(done)

        builder.position_at_end(done)
        result = builder.phi(ir.IntType(32))
        result.add_incoming(marked, last)
        result.add_incoming(spent, look)
        return result

    def multiply(self, starts: Any, rows: Any, columns: Any, blocks: Any) -> Any:
        """Add the products of a block; leaves the builder after them."""
        builder, wide = self.builder, self.wide
        before, body = blocks
        after = builder.append_basic_block("after")
        builder.branch(body)
        builder.position_at_end(body)
        group = builder.phi(wide.word)
        group.add_incoming(wide.number(0), before)
        sums = [builder.phi(wide.vector) for _ in self.cells]
        place = builder.add(columns, wide.times(group, GROUP * COLUMNS))
        loaded = [wide.load(place, 4 * LANES * c) for c in range(REGISTERS)]
        step = wide.times(group, GROUP)
        fours = [wide.fill(wide.at(builder.add(row, step), 0)) for row in rows]
        added = [
            wide.multiply_add("busd", s, loaded[c], fours[r])
            for s, (r, c) in zip(sums, self.cells, strict=True)
        ]
        following = builder.add(group, wide.number(1))
        group.add_incoming(following, body)
        for phi, start, s in zip(sums, starts, added, strict=True):
            phi.add_incoming(start, before)
            phi.add_incoming(s, body)
        builder.cbranch(builder.icmp_signed("<", following, wide.number(GROUPS)), body, after)
        builder.position_at_end(after)
        return added

    def possible(self, sums: Any, rows: Any, columns: Any, index: Any) -> Any:
        """Whether what is left can lift any sum above a limit.

        By Cauchy and Schwarz the blocks to come add no more than the product of both rests. These
        are lengths of at most 127 · √(BLOCK · blocks): they fit into shorts (wssd). Each column is
        compared with the lower of its own limit and the lowest of all rows: in one operation a sum
        this costs little, and it hardly ever says yes where no sum would.
        """
        builder, wide = self.builder, self.wide
        rests = [wide.load(columns, BLOCK * COLUMNS + 4 * LANES * c) for c in range(REGISTERS)]
        highest: list[Any] = [None] * REGISTERS
        # One sum after the other, so that nothing but the sums has to stay in a register.
        for s, (r, c) in zip(sums, self.cells, strict=True):
            rest = wide.fill(wide.at(rows[r], BLOCK + 4))
            bound = wide.multiply_add("wssd", s, rests[c], rest)
            highest[c] = bound if r == 0 else wide.pick(">", bound, highest[c])
        limits = [wide.at(self.row_limits, 4 * r) for r in range(ROWS)]
        lowest = wide.fill(reduce(lambda a, b: wide.pick("<", a, b), limits))
        place = builder.add(self.factors, wide.times(builder.add(self.blocks, index), 4))
        to_end = wide.fill(wide.at(place, 0))
        possible = ir.Constant(ir.IntType(LANES), 0)
        for bound, limit in zip(highest, self.limits_of_columns(), strict=True):
            either = wide.pick("<", lowest, limit)
            # In units of the last block, as limits are; steps were chosen so that this fits int32.
            above = builder.icmp_signed(">", builder.mul(bound, to_end), either)
            possible = builder.or_(possible, builder.bitcast(above, ir.IntType(LANES)))
        return builder.icmp_signed("!=", possible, ir.Constant(ir.IntType(LANES), 0))

    def mark(self, sums: Any) -> Any:
        """Store which sums exceed a limit; return all bits together."""
        builder, wide = self.builder, self.wide
        limits = self.limits_of_columns()
        seen = ir.Constant(ir.IntType(32), 0)
        for place, (s, (r, c)) in enumerate(zip(sums, self.cells, strict=True)):
            # Eight lanes fill half of a uint16; the other half is zero from the start.
            bits = builder.bitcast(self.above(s, r, limits[c]), ir.IntType(LANES))
            wide.store(bits, self.found, 2 * place)
            seen = builder.or_(seen, builder.zext(bits, ir.IntType(32)))
        return seen

    def limits_of_columns(self) -> Any:
        return [self.wide.load(self.column_limits, 4 * LANES * c) for c in range(REGISTERS)]

    def above(self, sums: Any, row: int, columns: Any) -> Any:
        """Which sums exceed the limit of their row or of their column."""
        limit = self.wide.fill(self.wide.at(self.row_limits, 4 * row))
        return self.builder.icmp_signed(">", sums, self.wide.pick("<", limit, columns))


class _Wide:
    """The vector operations a tile is built of."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.word = ir.IntType(64)
        self.vector = ir.VectorType(ir.IntType(32), LANES)

    def number(self, value: int) -> Any:
        return ir.Constant(self.word, value)

    def times(self, value: Any, count: int) -> Any:
        return self.builder.mul(value, self.number(count))

    def multiply_add(self, kind: str, total: Any, columns: Any, row: Any) -> Any:
        """Add products per lane: of four bytes, the columns' unsigned (busd), or two shorts."""
        # LLVM knows the 256-bit form by this name too, and encodes it as the processor allows.
        call = self.builder.module.declare_intrinsic(
            f"llvm.x86.avx512.vpdp{kind}.{32 * LANES}",
            (),
            ir.FunctionType(self.vector, [self.vector] * 3),
        )
        return self.builder.call(call, [total, columns, row])

    def pick(self, order: str, a: Any, b: Any) -> Any:
        """Return the lower (<) or the higher (>) of two, lane by lane."""
        return self.builder.select(self.builder.icmp_signed(order, a, b), a, b)

    def _pointer(self, base: Any, offset: int, kind: Any) -> Any:
        place = self.builder.add(base, self.number(offset))
        return self.builder.inttoptr(place, kind.as_pointer())

    def at(self, base: Any, offset: int) -> Any:
        value = self.builder.load(self._pointer(base, offset, ir.IntType(32)))
        value.align = 4
        return value

    def load(self, base: Any, offset: int) -> Any:
        # NumPy aligns to less than a register; LLVM would presume more, and such a load faults.
        value = self.builder.load(self._pointer(base, offset, self.vector))
        value.align = 4
        return value

    def store(self, value: Any, base: Any, offset: int) -> None:
        stored = self.builder.store(value, self._pointer(base, offset, value.type))
        stored.align = 2

    def fill(self, value: Any) -> Any:
        """A vector with the value in every lane."""
        empty = ir.Constant(self.vector, ir.Undefined)
        first = self.builder.insert_element(empty, value, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return self.builder.shuffle_vector(first, empty, zeros)
