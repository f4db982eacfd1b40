class Api::V1::LocksController < ActionController::Base
  def create; end
  def destroy; end
end
