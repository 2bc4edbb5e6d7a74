import type { DeviceDiagnosis, Diagnosis } from "../../api/diagnose.ts";
import { withFlags } from "../options/flags.ts";

/** A Diagnosis for people: what is installed, then a line a device. */
export function describeDiagnosis(diagnosis: Diagnosis): string {
  const { lorpVersion, llama, node, platform, device, devices } = diagnosis;
  return [
    `lorp ${lorpVersion}, llama.cpp ${llama ?? "not there"}, Node ${node}, ${platform}`,
    `--gpu auto computes on ${device ?? "nothing: no llama.cpp runs here"}`,
    ...devices.map(describeDevice),
  ].join("\n");
}

function describeDevice({ device, package: name, installed, names, problem }: DeviceDiagnosis): string {
  const works = names.length > 0 ? `works: ${names.join(", ")}` : "works";
  const state = problem ? withFlags(problem) : works;
  return `  ${device.padEnd(6)}  ${state}  (${name}${installed ? "" : ", not installed"})`;
}
