import { LorpError } from "../errors.ts";

export type CalibrationErrorCode =
  | "CALIBRATION_UNREADABLE"
  | "CALIBRATION_ENCODING"
  | "CALIBRATION_LINE"
  | "CALIBRATION_EMPTY"
  | "CALIBRATION_TOO_SHORT";

/** A text that cannot be used to measure a model. */
export class CalibrationError extends LorpError<CalibrationErrorCode> {}
