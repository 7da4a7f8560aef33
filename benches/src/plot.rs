//! Plots as SVG, drawn from numbers: axes with units, lines, bands, points, and their names beside them.
//!
//! The same numbers give the same text. Floats are pixels here, never money.
#![allow(clippy::float_arithmetic, reason = "pixels of a plot, no money")]

use std::fmt::Write;

/// Blue, orange, green, purple, grey, and two darker ones.
pub const COLOURS: [&str; 7] = ["#2171b5", "#d94801", "#238b45", "#6a51a3", "#636363", "#08306b", "#7f2704"];
/// What is there for orientation.
pub const QUIET: &str = "#8c8c8c";

const HEIGHT: f64 = 400.0;
const LEFT: f64 = 82.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 346.0;

/// Values along one side.
#[derive(Clone, Debug)]
pub struct Axis {
    title: String,
    is_log: bool,
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// From the first value to the last, with names at these; equal differences are equally far apart.
    #[must_use]
    pub fn linear(title: &str, low: f64, high: f64, ticks: Vec<(f64, String)>) -> Axis {
        Axis { title: title.to_owned(), is_log: false, low, high, ticks }
    }

    /// Equal ratios are equally far apart.
    #[must_use]
    pub fn log(title: &str, low: f64, high: f64, ticks: Vec<(f64, String)>) -> Axis {
        Axis { is_log: true, ..Axis::linear(title, low, high, ticks) }
    }

    /// From 0 to 1, where it lies along the axis.
    fn share(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        if self.is_log {
            (value / self.low).log10() / (self.high / self.low).log10()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }
}

/// So many equal steps from `low` to `high`, named with so many decimals and a unit.
#[must_use]
pub fn steps(low: f64, high: f64, count: u32, decimals: usize, unit: &str) -> Vec<(f64, String)> {
    (0..=count)
        .map(|step| low + (high - low) * f64::from(step) / f64::from(count))
        .map(|at| (at, format!("{}{unit}", grouped(&format!("{at:.decimals$}")))))
        .collect()
}

/// Thousands apart: `10,000`.
#[must_use]
pub fn grouped(number: &str) -> String {
    let (whole, rest) = number.find('.').map_or((number, ""), |point| number.split_at(point));
    let mut text = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at != 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// Values with their names.
#[must_use]
pub fn named(ticks: &[(f64, &str)]) -> Vec<(f64, String)> {
    ticks.iter().map(|(at, name)| (*at, (*name).to_owned())).collect()
}

/// One picture.
#[derive(Clone, Debug)]
pub struct Chart {
    title: String,
    x: Axis,
    y: Axis,
    /// Where the plot ends and the names of lines begin.
    right: f64,
    width: f64,
    body: String,
    /// Names of lines at their right ends: height, name, colour.
    ends: Vec<(f64, String, String)>,
}

impl Chart {
    /// An empty one; `names` is how much room there is for names at its right, in pixels.
    #[must_use]
    pub fn new(title: &str, x: Axis, y: Axis, names: f64) -> Chart {
        let width = 820.0;
        Chart { title: title.to_owned(), x, y, right: width - names, width, body: String::new(), ends: Vec::new() }
    }

    fn px(&self, x: f64) -> f64 {
        LEFT + (self.right - LEFT) * self.x.share(x)
    }

    fn py(&self, y: f64) -> f64 {
        BOTTOM - (BOTTOM - TOP) * self.y.share(y)
    }

    fn add(&mut self, text: &str) {
        self.body.push_str(text);
        self.body.push('\n');
    }

    fn pixels(&self, points: &[(f64, f64)]) -> String {
        let mut text = String::new();
        for (x, y) in points {
            write!(text, "{:.1},{:.1} ", self.px(*x), self.py(*y)).expect("a string takes all");
        }
        text.trim_end().to_owned()
    }

    /// A line through the points, its name at its right end.
    pub fn line(&mut self, name: &str, colour: &str, points: &[(f64, f64)]) {
        self.stroke(colour, 2.0, "", points);
        if let Some((_, y)) = points.last().filter(|_| !name.is_empty()) {
            self.ends.push((self.py(*y), name.to_owned(), colour.to_owned()));
        }
    }

    /// The same, dashed.
    pub fn dashed(&mut self, name: &str, colour: &str, points: &[(f64, f64)]) {
        self.stroke(colour, 1.5, " stroke-dasharray=\"5 4\"", points);
        if let Some((_, y)) = points.last().filter(|_| !name.is_empty()) {
            self.ends.push((self.py(*y), name.to_owned(), colour.to_owned()));
        }
    }

    /// A line that goes from value to value in steps: each holds until the next comes.
    pub fn stairs(&mut self, name: &str, colour: &str, points: &[(f64, f64)]) {
        let mut corners: Vec<(f64, f64)> = Vec::with_capacity(points.len() * 2);
        for (x, y) in points {
            if let Some((_, before)) = corners.last().copied() {
                corners.push((*x, before));
            }
            corners.push((*x, *y));
        }
        self.line(name, colour, &corners);
    }

    fn stroke(&mut self, colour: &str, width: f64, more: &str, points: &[(f64, f64)]) {
        let points = self.pixels(points);
        self.add(&format!(
            "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"{more}/>"
        ));
    }

    /// A point, filled or hollow.
    pub fn dot(&mut self, colour: &str, is_filled: bool, radius: f64, (x, y): (f64, f64)) {
        let (x, y) = (self.px(x), self.py(y));
        let fill = if is_filled { colour } else { "white" };
        self.add(&format!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{colour}\" stroke-width=\"1.2\"/>"
        ));
    }

    /// A word in the plot, `dx` and `dy` pixels from where it belongs; `anchor` is start, middle or end.
    pub fn word(&mut self, colour: &str, anchor: &str, (x, y): (f64, f64), (dx, dy): (f64, f64), text: &str) {
        let (x, y) = (self.px(x) + dx, self.py(y) + dy);
        self.add(&format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>"));
    }

    /// A stretch of the x axis, shaded.
    pub fn band(&mut self, colour: &str, from: f64, to: f64) {
        let (from, to) = (self.px(from), self.px(to));
        self.add(&format!(
            "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{:.1}\" height=\"{}\" fill=\"{colour}\" opacity=\"0.12\"/>",
            to - from,
            BOTTOM - TOP
        ));
    }

    /// Names of lines, moved apart where they would touch.
    fn names(&mut self) -> String {
        const APART: f64 = 15.0;
        self.ends.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut at: Vec<f64> = self.ends.iter().map(|(y, ..)| *y).collect();
        for _ in 0..50 {
            for i in 1..at.len() {
                let overlap = APART - (at[i] - at[i - 1]);
                if overlap > 0.0 {
                    at[i - 1] -= overlap / 2.0;
                    at[i] += overlap / 2.0;
                }
            }
        }
        let mut text = String::new();
        for (y, (_, name, colour)) in at.iter().zip(&self.ends) {
            writeln!(text, "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>", self.right + 8.0, y + 4.0)
                .expect("a string takes all");
        }
        text
    }

    /// The picture.
    #[must_use]
    pub fn svg(mut self) -> String {
        let (width, right) = (self.width, self.right);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"white\"/>\n\
             <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}</text>\n",
            self.title
        );
        let mut line = |text: String| writeln!(svg, "{text}").expect("a string takes all");
        for (value, name) in &self.x.ticks {
            let at = self.px(*value);
            line(format!("<path d=\"M{at:.1} {TOP}V{BOTTOM}\" stroke=\"#e4e4e4\"/>"));
            line(format!(
                "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#444\">{name}</text>",
                BOTTOM + 18.0
            ));
        }
        for (value, name) in &self.y.ticks {
            let at = self.py(*value);
            line(format!("<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#e4e4e4\"/>"));
            line(format!(
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#444\">{name}</text>",
                LEFT - 8.0,
                at + 4.0
            ));
        }
        line(format!("<path d=\"M{LEFT} {TOP}V{BOTTOM}H{right}\" stroke=\"#444\" fill=\"none\"/>"));
        line(format!(
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#444\">{}</text>",
            (LEFT + right) / 2.0,
            BOTTOM + 40.0,
            self.x.title
        ));
        line(format!(
            "<text x=\"{LEFT}\" y=\"{}\" text-anchor=\"start\" fill=\"#444\">{}</text>",
            TOP - 8.0,
            self.y.title
        ));
        let names = self.names();
        svg + &self.body + &names + "</svg>\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_where_its_axis_says() {
        let linear = Axis::linear("", 0.0, 200.0, Vec::new());
        assert_eq!((linear.share(50.0), linear.share(-1.0), linear.share(201.0)), (0.25, 0.0, 1.0));
        let log = Axis::log("", 1.0, 10_000.0, Vec::new());
        assert_eq!((log.share(100.0), log.share(10.0)), (0.5, 0.25));
    }

    #[test]
    fn names_of_lines_that_end_together_do_not_touch() {
        let axis = || Axis::linear("", 0.0, 1.0, Vec::new());
        let mut chart = Chart::new("", axis(), axis(), 100.0);
        for name in ["a", "b", "c"] {
            chart.line(name, COLOURS[0], &[(0.0, 0.5), (1.0, 0.5)]);
        }
        let svg = chart.svg();
        let ends = svg.lines().filter(|line| line.starts_with("<text x=\"728.0\""));
        let mut heights: Vec<f64> =
            ends.map(|line| line.split('"').nth(3).expect("y").parse().expect("a number")).collect();
        heights.sort_by(f64::total_cmp);
        assert_eq!(heights.len(), 3);
        assert!(heights.windows(2).all(|pair| pair[1] - pair[0] >= 14.5), "{heights:?}");
    }
}
