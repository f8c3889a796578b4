//! SVG pictures: supply by pool, and a market's price and utilisation.

use crate::Run;
use ledger::{Pools, Supply};
use plotters::{
    prelude::*,
    style::text_anchor::{HPos, Pos, VPos},
};
use types::{Height, NanoMeshx, YEAR_BLOCKS};

const SIZE: (u32, u32) = (960, 560);
const YEARS: u64 = 20;
/// Room for the names of the pools at the right.
const LEGEND: u32 = 160;
/// Points a year.
const POINTS: u64 = 12;

/// A picture could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the picture cannot be drawn: {0}")]
pub struct NoPicture(String);

fn failed(error: impl std::fmt::Display) -> NoPicture {
    NoPicture(error.to_string())
}

type Layer = (&'static str, RGBColor, fn(&Pools) -> NanoMeshx);

/// From the bottom up; together they are everything there will ever be.
const LAYERS: [Layer; 7] = [
    ("liquidity", RGBColor(38, 70, 83), |pools| pools.liquidity),
    ("team, vested", RGBColor(42, 111, 151), |pools| pools.team_vested),
    ("mining, emitted", RGBColor(42, 157, 143), |pools| pools.emitted),
    ("mining, to come", RGBColor(168, 218, 181), |pools| pools.unemitted),
    ("ecosystem", RGBColor(233, 196, 106), |pools| pools.ecosystem),
    ("treasury", RGBColor(244, 162, 97), |pools| pools.treasury),
    ("team, locked", RGBColor(231, 111, 81), |pools| pools.team_locked),
];

/// Twenty years of supply by pool, stacked, in billions of MESHX.
///
/// # Errors
/// [`NoPicture`].
pub fn supply_svg(supply: &Supply) -> Result<String, NoPicture> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let mut chart = ChartBuilder::on(&root)
            .caption("MESHX by pool, billions", ("sans-serif", 20))
            .margin(16)
            .margin_right(i32::try_from(LEGEND).unwrap_or_default())
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..YEARS as f64, 0.0..10.0)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .x_desc("years since genesis")
            .x_labels(11)
            .y_labels(11)
            .x_label_formatter(&|year| format!("{year:.0}"))
            .y_label_formatter(&|billions| format!("{billions:.0}"))
            .light_line_style(TRANSPARENT)
            .draw()
            .map_err(failed)?;
        let points: Vec<(f64, Pools)> = (0..=YEARS * POINTS)
            .map(|point| {
                let height = Height::new(point * (YEAR_BLOCKS / POINTS));
                (point as f64 / POINTS as f64, supply.at(height))
            })
            .collect();
        // The uppermost first: each lower one is drawn over it.
        for (index, (_, color, _)) in LAYERS.iter().enumerate().rev() {
            let line = points.iter().map(|(year, pools)| {
                let below = LAYERS[..=index].iter().map(|(_, _, pool)| pool(pools).get()).sum();
                (*year, billions(below))
            });
            chart.draw_series(AreaSeries::new(line, 0.0, color.filled())).map_err(failed)?;
        }
        let place = Pos::new(HPos::Left, VPos::Center);
        for ((name, color, _), row) in LAYERS.iter().rev().zip(0..) {
            let (x, y) = ((SIZE.0 - LEGEND) as i32 + 12, 70 + 26 * row);
            let patch = Rectangle::new([(x, y - 7), (x + 14, y + 7)], color.filled());
            root.draw(&patch).map_err(failed)?;
            let style = TextStyle::from(("sans-serif", 14).into_font()).pos(place);
            root.draw(&Text::new(*name, (x + 22, y), style)).map_err(failed)?;
        }
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

fn billions(nano: u64) -> f64 {
    nano as f64 / 1e18
}

/// A run's price above, its utilisation with the target band below.
///
/// # Errors
/// [`NoPicture`].
pub fn market_svg(run: &Run) -> Result<String, NoPicture> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(failed)?;
        let (above, below) = root.split_vertically(SIZE.1 / 2);
        let blocks = run.blocks.len().max(1) as f64;
        let dearest = run.blocks.iter().map(|block| meshx(block.price)).fold(0.0, f64::max);
        let cheapest = run.blocks.iter().map(|block| meshx(block.price)).fold(dearest, f64::min);
        let mut chart = ChartBuilder::on(&above)
            .caption("price of a core-second, MESHX", ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(24)
            .y_label_area_size(72)
            .build_cartesian_2d(0.0..blocks, (cheapest * 0.9..dearest * 1.1).log_scale())
            .map_err(failed)?;
        chart
            .configure_mesh()
            .y_labels(6)
            .x_label_formatter(&|block| format!("{block:.0}"))
            .y_label_formatter(&|price| format!("{price:.5}"))
            .light_line_style(TRANSPARENT)
            .draw()
            .map_err(failed)?;
        let price = run.blocks.iter().map(|block| (block.block as f64, meshx(block.price)));
        chart.draw_series(LineSeries::new(price, &LAYERS[1].1)).map_err(failed)?;

        let mut chart = ChartBuilder::on(&below)
            .caption("utilisation, % (shaded: target ± 5)", ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(72)
            .build_cartesian_2d(0.0..blocks, 0.0..100.0)
            .map_err(failed)?;
        chart
            .configure_mesh()
            .x_desc("block")
            .x_label_formatter(&|block| format!("{block:.0}"))
            .y_label_formatter(&|used| format!("{used:.0}"))
            .light_line_style(TRANSPARENT)
            .draw()
            .map_err(failed)?;
        let target = f64::from(run.rule.target_bps) / 100.0;
        let band = f64::from(crate::BAND_BPS) / 100.0;
        let corners = [(0.0, target - band), (blocks, target + band)];
        chart
            .draw_series([Rectangle::new(corners, LAYERS[3].1.mix(0.6).filled())])
            .map_err(failed)?;
        let used = run
            .blocks
            .iter()
            .map(|block| (block.block as f64, f64::from(block.utilisation_bps) / 100.0));
        chart.draw_series(LineSeries::new(used, &LAYERS[6].1)).map_err(failed)?;
        root.present().map_err(failed)?;
    }
    Ok(svg)
}

fn meshx(nano: NanoMeshx) -> f64 {
    nano.get() as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Market, run};
    use types::{DemandRule, Ppm, Rates, SupplyPlan};

    #[test]
    fn every_pool_is_named_in_the_picture() {
        let supply = Supply::new(SupplyPlan::default()).expect("the default is sound");
        let svg = supply_svg(&supply).expect("it is drawn");
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert!(LAYERS.iter().all(|(name, ..)| svg.contains(name)));
    }

    #[test]
    fn a_run_is_drawn_however_short() {
        for blocks in [1, 2, 400] {
            let market = Market::new(1, blocks, Ppm::ONE);
            let svg = market_svg(&run(market, &Rates::PAPER, DemandRule::DEFAULT));
            assert!(svg.expect("it is drawn").contains("utilisation"));
        }
    }
}
