import { LorpError } from "../errors.ts";

/** A text that cannot be used to measure a model. */
export class CalibrationError extends LorpError {
  declare readonly code:
    | "CALIBRATION_UNREADABLE"
    | "CALIBRATION_ENCODING"
    | "CALIBRATION_LINE"
    | "CALIBRATION_EMPTY"
    | "CALIBRATION_TOO_SHORT";
}
