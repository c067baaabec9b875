//! The operator as a platform team installs it: the chart and the manifest on a real control plane, with the operator as a process under the service
//! account, the arguments and the environment that the installed Deployment gives its pods.

mod chart;
mod config_maps;
mod emulator;
mod first_steps;
mod image;
mod least;
mod manifest;
mod objects;
mod pages;
mod release;
mod release_files;
mod rights;
mod secrets;
mod several;
mod upgrade;
mod waiting;
mod workflows;
mod world;
