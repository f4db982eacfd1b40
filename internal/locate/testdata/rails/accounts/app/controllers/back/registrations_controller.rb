class Back::RegistrationsController < ActionController::Base
  def cancel; end
  def create; end
  def destroy; end
  def edit; end
  def new; end
  def update; end
end
