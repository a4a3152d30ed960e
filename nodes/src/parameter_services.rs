//! The ROS endpoints in front of [`NodeParameters`].

use r2r::rcl_interfaces::msg::ParameterEvent;
use r2r::rcl_interfaces::srv::{
    DescribeParameters, GetParameterTypes, GetParameters, ListParameters, SetParameters,
    SetParametersAtomically,
};
use r2r::{Publisher, QosProfile, ServiceRequest};
use tokio::sync::mpsc;

use crate::names::NodeName;
use crate::node::{NodeError, NodeThread, Owned};
use crate::parameters::NodeParameters;

/// A call of one of a node's parameter services.
pub enum ParameterCall {
    /// `set_parameters`
    Set(ServiceRequest<SetParameters::Service>),
    /// `set_parameters_atomically`
    SetAll(ServiceRequest<SetParametersAtomically::Service>),
    /// `get_parameters`
    Get(ServiceRequest<GetParameters::Service>),
    /// `get_parameter_types`
    Types(ServiceRequest<GetParameterTypes::Service>),
    /// `list_parameters`
    List(ServiceRequest<ListParameters::Service>),
    /// `describe_parameters`
    Describe(ServiceRequest<DescribeParameters::Service>),
}

/// Announces changes on `/parameter_events`.
pub struct ParameterEvents {
    node: NodeName,
    publisher: Publisher<ParameterEvent>,
}

/// Offers the services of `node`. `forward` gets each call, on the node's thread.
pub fn offer(
    node: &NodeThread,
    calls: mpsc::UnboundedSender<(usize, ParameterCall)>,
    index: usize,
) -> Result<ParameterEvents, NodeError> {
    macro_rules! serve {
        ($owned:ident, $calls:ident, $($name:literal: $service:ident => $call:ident),*) => {$(
            let stream = $owned
                .node
                .create_service::<$service::Service>(
                    concat!("~/", $name),
                    QosProfile::services_default().keep_last(1000),
                )
                .map_err(|error| NodeError::create(concat!("service '~/", $name, "'"), &error))?;
            let calls = $calls.clone();
            // The receiver only goes away at shutdown.
            $owned.forward(stream, move |request| drop(calls.send((index, ParameterCall::$call(request)))));
        )*};
    }
    let publisher = node.call(move |owned: &mut Owned| -> Result<_, NodeError> {
        serve!(owned, calls,
            "set_parameters": SetParameters => Set,
            "set_parameters_atomically": SetParametersAtomically => SetAll,
            "get_parameters": GetParameters => Get,
            "get_parameter_types": GetParameterTypes => Types,
            "list_parameters": ListParameters => List,
            "describe_parameters": DescribeParameters => Describe
        );
        owned
            .node
            .create_publisher("/parameter_events", QosProfile::parameter_events())
            .map_err(|error| NodeError::create("publisher of '/parameter_events'", &error))
    })??;
    Ok(ParameterEvents { node: node.name().clone(), publisher })
}

impl ParameterEvents {
    /// Tells that the parameters exist.
    pub fn declared(&self, parameters: &NodeParameters) {
        self.send(&parameters.declared_event(&self.node));
    }

    fn changed(&self, parameters: &NodeParameters, names: &[String]) {
        if !names.is_empty() {
            self.send(&parameters.changed_event(&self.node, names));
        }
    }

    fn send(&self, event: &ParameterEvent) {
        if let Err(error) = self.publisher.publish(event) {
            tracing::debug!("cannot publish on /parameter_events: {error}");
        }
    }
}

/// Answers `call`. Returns whether a value changed. Notes on the change are in the answer and in the log.
pub fn answer(call: ParameterCall, parameters: &mut NodeParameters, events: &ParameterEvents) -> bool {
    let mut changed = Vec::new();
    let notes_before = parameters.notes().to_vec();
    let answered = match call {
        ParameterCall::Set(request) => {
            let results = request
                .message
                .parameters
                .iter()
                .map(|parameter| {
                    let before = parameters.get(&parameter.name);
                    let result = parameters.change(parameter);
                    if before != parameters.get(&parameter.name) {
                        changed.push(parameter.name.clone());
                    }
                    result
                })
                .collect();
            request.respond(SetParameters::Response { results })
        }
        ParameterCall::SetAll(request) => {
            let before = parameters.clone();
            let result = parameters.change_all(&request.message.parameters);
            let names = request.message.parameters.iter().map(|parameter| &parameter.name);
            changed.extend(names.filter(|name| before.get(name) != parameters.get(name)).cloned());
            request.respond(SetParametersAtomically::Response { result })
        }
        ParameterCall::Get(request) => {
            let values = request.message.names.iter().map(|name| parameters.get_message(name)).collect();
            request.respond(GetParameters::Response { values })
        }
        ParameterCall::Types(request) => {
            let types = request.message.names.iter().map(|name| parameters.get_message(name).type_).collect();
            request.respond(GetParameterTypes::Response { types })
        }
        ParameterCall::List(request) => {
            let result = parameters.list(&request.message.prefixes, request.message.depth);
            request.respond(ListParameters::Response { result })
        }
        ParameterCall::Describe(request) => {
            let descriptors = request.message.names.iter().map(|name| parameters.describe(name)).collect();
            request.respond(DescribeParameters::Response { descriptors })
        }
    };
    if let Err(error) = answered {
        tracing::warn!("cannot answer a parameter service call: {error}");
    }
    for note in parameters.notes().iter().filter(|note| !notes_before.contains(note)) {
        tracing::warn!("{note}");
    }
    events.changed(parameters, &changed);
    !changed.is_empty()
}
