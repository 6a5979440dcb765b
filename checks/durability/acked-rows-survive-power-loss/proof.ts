import { proveCheck } from "../../../src/proof.ts";
import { ackedRowsSurvivePowerLoss } from "./index.ts";
export default proveCheck(ackedRowsSurvivePowerLoss, {} as never);
