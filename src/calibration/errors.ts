import { LorpError } from "../errors.ts";

/** Stable codes of everything that can be wrong with a calibration text. */
export type CalibrationErrorCode =
  | "CALIBRATION_UNREADABLE"
  | "CALIBRATION_ENCODING"
  | "CALIBRATION_LINE"
  | "CALIBRATION_EMPTY"
  | "CALIBRATION_TOO_SHORT";

/** A text that cannot be used to measure a model. */
export class CalibrationError extends LorpError {
  constructor(code: CalibrationErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}
