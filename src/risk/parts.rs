//! The weights of a model as bytes of a safetensors file.

use candle_core::{Device, Tensor};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::linear::Linear;
use crate::model::ModelError;
use crate::net::{NAMES, Weights};
use crate::trees::{Bins, Forest};

/// Weights of a model, calibration included.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Linear path.
    pub linear: Linear,
    /// Mean of the linear columns, from which uncertainty counts.
    pub centre: Vec<f64>,
    /// One network per inner fold.
    pub nets: Vec<Weights>,
    /// How the trees see values.
    pub bins: Bins,
    /// One forest per inner fold.
    pub forests: Vec<Forest>,
}

impl Parts {
    /// As bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        let shape = |error: candle_core::Error| ModelError::Shape(error.to_string());
        let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        let linear = [
            ("linear.intercepts", &self.linear.intercepts),
            ("linear.beta", &self.linear.beta),
            ("linear.covariance", &self.linear.covariance),
            ("linear.centre", &self.centre),
            ("trees.cuts", &self.bins.cuts.concat()),
        ];
        for (name, values) in linear {
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push((name.to_owned(), Dtype::F64, vec![values.len()], bytes));
        }
        for (i, net) in self.nets.iter().enumerate() {
            for (name, tensor) in NAMES.iter().zip(net.tensors()) {
                let values = tensor.flatten_all().and_then(|t| t.to_vec1::<f32>()).map_err(shape)?;
                let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                tensors.push((format!("net{i}.{name}"), Dtype::F32, tensor.dims().to_vec(), bytes));
            }
        }
        for (i, forest) in self.forests.iter().enumerate() {
            let (whole, leaves) = forest.numbers();
            let bytes = |numbers: &[u32]| numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push((format!("forest{i}.nodes"), Dtype::U32, vec![whole.len()], bytes(&whole)));
            tensors.push((
                format!("forest{i}.roots"),
                Dtype::U32,
                vec![forest.roots.len()],
                bytes(&forest.roots),
            ));
            let values = leaves.iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push((format!("forest{i}.leaves"), Dtype::F32, vec![leaves.len()], values));
        }
        let widths: Vec<u32> = self.bins.cuts.iter().map(|cuts| cuts.len() as u32).collect();
        let category: Vec<u32> = self.bins.category.iter().map(|c| u32::from(*c)).collect();
        for (name, numbers) in [("trees.widths", &widths), ("trees.category", &category)] {
            let bytes = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
            tensors.push((name.to_owned(), Dtype::U32, vec![numbers.len()], bytes));
        }
        let bad = |error: safetensors::SafeTensorError| ModelError::Shape(error.to_string());
        let views: Vec<(&str, TensorView)> = tensors
            .iter()
            .map(|(name, dtype, dims, bytes)| {
                Ok((name.as_str(), TensorView::new(*dtype, dims.clone(), bytes)?))
            })
            .collect::<Result<_, _>>()
            .map_err(bad)?;
        safetensors::serialize(views, None).map_err(bad)
    }

    /// From bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
        let file = SafeTensors::deserialize(bytes).map_err(|e| ModelError::Shape(e.to_string()))?;
        let linear = Linear {
            intercepts: doubles(&file, "linear.intercepts")?,
            beta: doubles(&file, "linear.beta")?,
            covariance: doubles(&file, "linear.covariance")?,
        };
        let mut nets = Vec::new();
        while file.tensor(&format!("net{}.w1", nets.len())).is_ok() {
            let i = nets.len();
            let all: Vec<Tensor> = NAMES
                .iter()
                .map(|name| floats(&file, &format!("net{i}.{name}")))
                .collect::<Result<_, _>>()?;
            nets.push(Weights::from_slice(&all));
        }
        if nets.is_empty() {
            return Err(ModelError::Shape("there is no network in it".to_owned()));
        }
        let bins = bins(&file)?;
        let mut forests = Vec::new();
        while file.tensor(&format!("forest{}.roots", forests.len())).is_ok() {
            forests.push(forest(&file, forests.len(), bins.width())?);
        }
        if forests.len() != nets.len() {
            return Err(ModelError::Shape("it has not one forest for each network".to_owned()));
        }
        Ok(Self { linear, centre: doubles(&file, "linear.centre")?, nets, bins, forests })
    }
}

fn doubles(file: &SafeTensors, name: &str) -> Result<Vec<f64>, ModelError> {
    let view = file.tensor(name).map_err(|e| ModelError::Shape(e.to_string()))?;
    let values: Vec<f64> =
        view.data().as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    if values.iter().any(|v| !v.is_finite()) {
        return Err(ModelError::NotFinite(name.to_owned()));
    }
    Ok(values)
}

fn floats(file: &SafeTensors, name: &str) -> Result<Tensor, ModelError> {
    let bad = |e: String| ModelError::Shape(e);
    let view = file.tensor(name).map_err(|e| bad(e.to_string()))?;
    if view.dtype() != Dtype::F32 {
        return Err(bad(format!("{name} is not of type F32")));
    }
    let values: Vec<f32> =
        view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    if values.iter().any(|v| !v.is_finite()) {
        return Err(ModelError::NotFinite(name.to_owned()));
    }
    Tensor::from_vec(values, view.shape(), &Device::Cpu).map_err(|e| bad(e.to_string()))
}

fn bins(file: &SafeTensors) -> Result<Bins, ModelError> {
    let bad = |why: &str| ModelError::Shape(format!("trees.cuts: {why}"));
    let (all, widths) = (doubles(file, "trees.cuts")?, whole(file, "trees.widths")?);
    let category: Vec<bool> = whole(file, "trees.category")?.iter().map(|c| *c != 0).collect();
    let (mut cuts, mut rest) = (Vec::new(), all.as_slice());
    for width in &widths {
        let (own, others) = rest.split_at_checked(*width as usize).ok_or(bad("too short"))?;
        cuts.push(own.to_vec());
        rest = others;
    }
    if !rest.is_empty() || category.len() != cuts.len() {
        return Err(bad("as many as the inputs are expected"));
    }
    let bins = Bins { cuts, category };
    if bins.is_sound() { Ok(bins) } else { Err(bad("there are more bins than trees can tell apart")) }
}

fn forest(file: &SafeTensors, i: usize, inputs: usize) -> Result<Forest, ModelError> {
    let leaves = floats(file, &format!("forest{i}.leaves"))?;
    let leaves = leaves.to_vec1::<f32>().map_err(|e| ModelError::Shape(e.to_string()))?;
    let nodes = whole(file, &format!("forest{i}.nodes"))?;
    let roots = whole(file, &format!("forest{i}.roots"))?;
    Forest::from_numbers(&nodes, &leaves, &roots, inputs)
        .ok_or_else(|| ModelError::Shape(format!("forest{i} is not a forest")))
}

fn whole(file: &SafeTensors, name: &str) -> Result<Vec<u32>, ModelError> {
    let view = file.tensor(name).map_err(|e| ModelError::Shape(e.to_string()))?;
    if view.dtype() != Dtype::U32 {
        return Err(ModelError::Shape(format!("{name} is not of type U32")));
    }
    Ok(view.data().as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
}
